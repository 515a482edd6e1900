//! A request before it is put on the wire.

use serde_json::{Map, Value};

#[derive(Debug, PartialEq)]
pub struct Request {
    pub method: &'static str,
    pub params: Map<String, Value>,
}

impl Request {
    pub fn new(method: &'static str) -> Self {
        Self { method, params: Map::new() }
    }

    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    /// Leaves it out where there is none: the host's default counts.
    pub fn with_some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub fn with_list(self, name: &str, values: Vec<String>) -> Self {
        match values.is_empty() {
            true => self,
            false => self.with(name, values),
        }
    }
}
