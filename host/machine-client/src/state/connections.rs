//! All connections of `xclaw`, by the guest's ids and by keys of our own: an id is used again while
//! somebody still reads what its last connection sent.

use std::collections::BTreeMap;

use machine_protocol::MAX_CONNECTIONS;

use super::connection::Connection;

/// Connections whose program went, and which their reader has not closed. The protocol does not bound
/// them: a guest may come and go faster than the host reads. The oldest is given up for a newer one.
const MAX_LINGERING: usize = MAX_CONNECTIONS;

const GIVEN_UP: &str = "the program went, and its connection was not read for too long";

/// Why a guest may not connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    #[error("its id is in use")]
    Used,
    #[error("there are {MAX_CONNECTIONS} already")]
    TooMany,
}

#[derive(Debug, Default)]
pub struct Connections {
    all: BTreeMap<u64, Connection>,
    /// Those that the guest may not use again.
    ids: BTreeMap<u32, u64>,
    next: u64,
}

impl Connections {
    /// A new one; its key.
    pub fn open(&mut self, id: u32) -> Result<u64, Breach> {
        if self.ids.contains_key(&id) {
            return Err(Breach::Used);
        }
        if self.all.values().filter(|connection| connection.is_open()).count() >= MAX_CONNECTIONS {
            return Err(Breach::TooMany);
        }
        let key = self.next;
        self.next += 1;
        self.all.insert(key, Connection::new(id));
        self.ids.insert(id, key);
        Ok(key)
    }

    /// The one that the guest speaks of, with its key.
    pub fn named(&mut self, id: u32) -> Option<(u64, &mut Connection)> {
        let key = *self.ids.get(&id)?;
        self.all.get_mut(&key).filter(|connection| connection.is_open()).map(|found| (key, found))
    }

    pub fn get(&mut self, key: u64) -> Option<&mut Connection> {
        self.all.get_mut(&key)
    }

    /// Gives the oldest up when too many linger; its key.
    pub fn thin_out(&mut self) -> Option<u64> {
        let mut lingering = self.all.iter_mut().filter(|(_, connection)| connection.lingers());
        let (key, oldest) = lingering.next()?;
        if lingering.count() < MAX_LINGERING {
            return None;
        }
        oldest.give_up(GIVEN_UP);
        Some(*key)
    }

    /// Frees the id of one that is closed, and forgets what nobody asks for.
    pub fn tidy(&mut self, key: u64) {
        let Some(connection) = self.all.get(&key) else { return };
        if connection.is_free() && self.ids.get(&connection.id) == Some(&key) {
            self.ids.remove(&connection.id);
        }
        if connection.is_forgotten() {
            self.all.remove(&key);
        }
    }

    /// All are gone, and every id is free.
    pub fn lose_all(&mut self, reason: &str) {
        self.ids.clear();
        for connection in self.all.values_mut() {
            connection.lose(reason);
        }
        self.all.retain(|_, connection| !connection.is_forgotten());
    }
}
