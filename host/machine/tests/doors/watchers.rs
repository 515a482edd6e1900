//! A guest's side of the terminal, for [`Bench`].

use bindings::machine::terminal::{Host as _, HostTerminal, Terminal};
use bindings::machine::types::Size;
use domain::wait::Waitable;
use wasmtime::component::Resource;

use crate::bench::{Bench, Done, borrow, soon};

impl Bench {
    pub async fn attach(&mut self, size: Size) -> Done<u32> {
        Ok(soon(self.view().attach(size)).await.unwrap()?.rep())
    }

    pub async fn read_terminal(&mut self, terminal: u32, max_bytes: u32) -> Done<Vec<u8>> {
        soon(HostTerminal::read(&mut self.view(), borrow(terminal), max_bytes)).await.unwrap()
    }

    pub async fn type_in(&mut self, terminal: u32, data: &[u8]) -> Done<()> {
        let mut view = self.view();
        soon(HostTerminal::write(&mut view, borrow(terminal), data.into())).await.unwrap()
    }

    pub async fn resize_terminal(&mut self, terminal: u32, size: Size) -> Done<()> {
        HostTerminal::resize(&mut self.view(), borrow(terminal), size).await.unwrap()
    }

    pub async fn terminal_readable(&mut self, terminal: u32) -> Waitable {
        let waitable = HostTerminal::readable(&mut self.view(), borrow(terminal)).await.unwrap();
        self.table.delete(waitable).unwrap()
    }

    pub async fn detach(&mut self, terminal: u32) {
        let own = Resource::<Terminal>::new_own(terminal);
        HostTerminal::drop(&mut self.view(), own).await.unwrap();
    }

    /// What the terminal shows until this is in it.
    pub async fn see_terminal(&mut self, terminal: u32, text: &str) -> String {
        soon(self.see_at_last_on(terminal, text)).await
    }

    async fn see_at_last_on(&mut self, terminal: u32, text: &str) -> String {
        let mut seen = String::new();
        while !seen.contains(text) {
            let data = self.read_terminal(terminal, u32::MAX).await.unwrap();
            assert!(!data.is_empty(), "`{text}` does not come: {seen}");
            seen += &String::from_utf8_lossy(&data);
        }
        seen
    }
}
