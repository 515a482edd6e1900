//! One instance of a harness: instantiation, `start`, `turn`, and what its failures mean.

use std::time::Duration;

use bindings::base::content::Part;
use bindings::harness::Harness as AsyncHarness;
use bindings::harness_sync::HarnessSync;
use bindings::session::types as wit;
use engine::{CpuExhausted, Meter};
use wasmtime::Store;

use crate::error::TurnError;
use crate::harness_file::{Harness, Pre};
use crate::state::{HANDLES_MAX, State};

/// CPU of `start`: an interpreter initialises in milliseconds; ten seconds are a loop.
const START_CPU: Duration = Duration::from_secs(10);
/// CPU of one turn, waiting not counted: pi computes 10 to 20 ms for a turn of three steps.
const TURN_CPU: Duration = Duration::from_secs(120);

/// What is kept of a failure that a guest words itself: it is recorded, shown and sent on.
const FAILURE_MAX_BYTES: usize = 16 << 10;

/// CPU that a harness may use. Waiting is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuLimits {
    /// Of instantiation and `start` together.
    pub start: Duration,
    /// Of each turn.
    pub turn: Duration,
}

impl Default for CpuLimits {
    fn default() -> Self {
        Self { start: START_CPU, turn: TURN_CPU }
    }
}

/// What a harness says of itself in `start`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Features {
    /// Prompts may hold images.
    pub images: bool,
    /// Input during a turn reaches the model before its next step.
    pub steer: bool,
}

/// A live instance. After an error other than the guest's own it must be dropped.
pub(crate) struct Guest {
    store: Store<State>,
    exports: Exports,
    meter: Meter,
    cpu: CpuLimits,
    pub features: Features,
}

enum Exports {
    Async(AsyncHarness),
    Sync(HarnessSync),
}

impl Guest {
    /// Instantiates the component. The next call must be `start`.
    pub async fn instantiate(
        harness: &Harness,
        engine: &wasmtime::Engine,
        state: State,
        cpu: CpuLimits,
    ) -> Result<Self, TurnError> {
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.limits);
        engine::limit_handles(&mut store, HANDLES_MAX);
        let meter = Meter::default();
        meter.guard(&mut store);
        meter.allow(cpu.start);
        let exports = meter
            .measure(async {
                Ok(match &*harness.pre {
                    Pre::Async(pre) => Exports::Async(pre.instantiate_async(&mut store).await?),
                    Pre::Sync(pre) => Exports::Sync(pre.instantiate_async(&mut store).await?),
                })
            })
            .await
            .map_err(|error: wasmtime::Error| match error.downcast_ref::<CpuExhausted>() {
                Some(exhausted) => TurnError::Cpu(*exhausted),
                None => TurnError::Instantiate(error),
            })?;
        Ok(Self { store, exports, meter, cpu, features: Features::default() })
    }

    /// Calls `start`, once.
    pub async fn start(&mut self, config: &wit::Config) -> Result<(), TurnError> {
        let features = self.call_start(config).await?;
        self.features = Features {
            images: features.contains(wit::Features::IMAGES),
            steer: features.contains(wit::Features::STEER),
        };
        Ok(())
    }

    pub fn state(&mut self) -> &mut State {
        self.store.data_mut()
    }

    async fn call_start(&mut self, config: &wit::Config) -> Result<wit::Features, TurnError> {
        let Self { store, exports, meter, .. } = self;
        let result =
            match exports {
                Exports::Async(harness) => {
                    let agent = harness.xpressclaw_harness_agent();
                    let config = config.clone();
                    meter
                        .measure(store.run_concurrent(async |accessor| {
                            agent.call_start(accessor, config).await
                        }))
                        .await
                        .and_then(|inner| inner)
                }
                Exports::Sync(harness) => {
                    let agent = harness.xpressclaw_harness_agent_sync();
                    meter.measure(agent.call_start(&mut *store, config)).await
                }
            };
        self.outcome(result)
    }

    /// Runs one turn. Dropping the future leaves the instance unusable.
    pub async fn turn(&mut self, prompt: Vec<Part>) -> Result<wit::Stop, TurnError> {
        self.meter.allow(self.cpu.turn);
        let Self { store, exports, meter, .. } = self;
        let result =
            match exports {
                Exports::Async(harness) => {
                    let agent = harness.xpressclaw_harness_agent();
                    meter
                        .measure(store.run_concurrent(async |accessor| {
                            agent.call_turn(accessor, prompt).await
                        }))
                        .await
                        .and_then(|inner| inner)
                }
                Exports::Sync(harness) => {
                    let agent = harness.xpressclaw_harness_agent_sync();
                    meter.measure(agent.call_turn(&mut *store, &prompt)).await
                }
            };
        self.outcome(result)
    }

    /// Tells a guest's own error from a trap, and a trap's cause from its symptom.
    fn outcome<T>(&self, result: wasmtime::Result<Result<T, wit::Error>>) -> Result<T, TurnError> {
        match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(match error {
                wit::Error::Invalid(text) => TurnError::Invalid(shortened(text)),
                wit::Error::Model(text) => TurnError::Model(shortened(text)),
                wit::Error::Budget(text) => TurnError::Budget(shortened(text)),
                wit::Error::Other(text) => TurnError::Harness(shortened(text)),
            }),
            Err(trap) => Err(match trap.downcast_ref::<CpuExhausted>() {
                Some(exhausted) => TurnError::Cpu(*exhausted),
                None if self.store.data().limits.refused() => TurnError::OutOfMemory(trap),
                None => TurnError::Trap(trap),
            }),
        }
    }
}

fn shortened(mut text: String) -> String {
    if text.len() > FAILURE_MAX_BYTES {
        text.truncate(text.floor_char_boundary(FAILURE_MAX_BYTES));
        text.push_str("… [cut]");
    }
    text
}

impl TurnError {
    /// Whether the guest itself reported the failure, so that its instance is sound.
    pub(crate) fn is_the_guests(&self) -> bool {
        matches!(self, Self::Invalid(_) | Self::Model(_) | Self::Budget(_) | Self::Harness(_))
    }
}
