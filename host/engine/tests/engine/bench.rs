//! Components and what is needed to run them.

use std::time::Duration;

use engine::{Allocation, Engine, Meter, Options, StoreLimits};
use wasmtime::Store;
use wasmtime::component::{Component, Instance, Linker};

/// Exports `spin` (for ever), `wait` (for the host), `grow` (a memory, by pages), `grow-other`
/// (that of a second module) and `grow-table`.
pub const GUEST: &str = r#"
(component
  (import "wait" (func $wait))
  (core func $wait-core (canon lower (func $wait)))
  (core module $main
    (import "host" "wait" (func $wait))
    (memory 1)
    (table $table 1 funcref)
    (func (export "spin") (loop br 0))
    (func (export "wait") call $wait)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "grow-table") (param i32) (result i32)
      (table.grow $table (ref.null func) (local.get 0))))
  (core module $other
    (memory 1)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))
  (core instance $host (export "wait" (func $wait-core)))
  (core instance $main (instantiate $main (with "host" (instance $host))))
  (core instance $other (instantiate $other))
  (func (export "spin") (canon lift (core func $main "spin")))
  (func (export "wait") (canon lift (core func $main "wait")))
  (func (export "grow") (param "pages" u32) (result u32) (canon lift (core func $main "grow")))
  (func (export "grow-other") (param "pages" u32) (result u32)
    (canon lift (core func $other "grow")))
  (func (export "grow-table") (param "elements" u32) (result u32)
    (canon lift (core func $main "grow-table"))))
"#;

pub fn engine(allocation: Allocation) -> Engine {
    Engine::new(&Options { sessions: 4, allocation }).unwrap()
}

/// An instance whose `wait` takes the host so long.
pub struct Guest {
    pub store: Store<StoreLimits>,
    pub meter: Meter,
    instance: Instance,
}

pub async fn guest(engine: &Engine, component: &str, wait: Duration) -> wasmtime::Result<Guest> {
    let component = Component::new(engine.wasmtime(), component)?;
    let mut linker = Linker::new(engine.wasmtime());
    linker.root().func_wrap_async("wait", move |_, (): ()| {
        Box::new(async move {
            tokio::time::sleep(wait).await;
            Ok(())
        })
    })?;
    let mut store = Store::new(engine.wasmtime(), StoreLimits::default());
    store.limiter(|limits| limits);
    let meter = Meter::default();
    meter.guard(&mut store);
    let instance = linker.instantiate_async(&mut store, &component).await?;
    Ok(Guest { store, meter, instance })
}

impl Guest {
    pub async fn call(&mut self, name: &str) -> wasmtime::Result<()> {
        let function = self.instance.get_typed_func::<(), ()>(&mut self.store, name)?;
        self.meter.measure(function.call_async(&mut self.store, ())).await
    }

    /// What `memory.grow` or `table.grow` returned.
    pub async fn grow(&mut self, name: &str, by: u32) -> i32 {
        let function = self.instance.get_typed_func::<(u32,), (u32,)>(&mut self.store, name);
        let result = function.unwrap().call_async(&mut self.store, (by,)).await;
        result.unwrap().0.cast_signed()
    }
}
