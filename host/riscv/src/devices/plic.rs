//! The platform-level interrupt controller, with one context: supervisor mode of the only hart.
//!
//! Reached through [`super::Devices`]. Sources are levels: a source that is still asserted when its
//! interrupt is completed becomes pending again.
//!
//! RISC-V Platform-Level Interrupt Controller Specification 1.0, chapters 2 to 9.

/// Interrupt lines, line 0 included, which means "none". One register of 32 bits holds them all.
pub const SOURCES: usize = 32;

/// Bytes of the controller's registers: up to the end of the first context's page.
pub const SIZE: u64 = CONTEXT + 0x1000;

const PENDING: u64 = 0x1000;
const ENABLE: u64 = 0x2000;
const CONTEXT: u64 = 0x20_0000;
const CLAIM: u64 = CONTEXT + 4;

/// The highest priority: three bits.
const MAX_PRIORITY: u32 = 7;

/// The controller.
#[derive(Clone, Debug, Default)]
pub struct Plic {
    priority: [u32; SOURCES],
    level: u32,
    pending: u32,
    claimed: u32,
    enabled: u32,
    threshold: u32,
}

impl Plic {
    /// Asserts or releases a line.
    pub fn set_level(&mut self, source: usize, asserted: bool) {
        let bit = 1u32 << (source % SOURCES);
        if asserted {
            self.level |= bit;
        } else {
            self.level &= !bit;
        }
        self.gate();
    }

    /// Asserted lines become pending, unless one of their interrupts is being handled; lines that were
    /// released before anybody claimed them do not stay pending.
    fn gate(&mut self) {
        self.pending = self.level & !self.claimed & !1;
    }

    /// Whether any enabled source above the threshold is pending.
    pub fn interrupting(&self) -> bool {
        self.best().is_some()
    }

    /// The pending source with the highest priority; of equals the lowest number.
    fn best(&self) -> Option<usize> {
        (1..SOURCES)
            .filter(|&s| self.pending & self.enabled & 1 << s != 0)
            .filter(|&s| self.priority[s] > self.threshold)
            .max_by_key(|&s| (self.priority[s], SOURCES - s))
    }

    /// Reads a register; only accesses of 32 bits exist.
    pub fn load(&mut self, offset: u64, size: usize) -> Option<u64> {
        if size != 4 || !offset.is_multiple_of(4) {
            return None;
        }
        let value = match offset {
            PENDING => self.pending,
            ENABLE => self.enabled,
            CONTEXT => self.threshold,
            CLAIM => {
                let source = self.best().unwrap_or(0);
                if source != 0 {
                    self.claimed |= 1 << source;
                    self.gate();
                }
                source as u32
            }
            _ => self.priority.get(offset as usize / 4).copied().unwrap_or(0),
        };
        Some(value.into())
    }

    /// Writes a register. Registers of sources that do not exist ignore it.
    pub fn store(&mut self, offset: u64, size: usize, value: u64) -> Option<()> {
        if size != 4 || !offset.is_multiple_of(4) {
            return None;
        }
        let value = value as u32;
        match offset {
            PENDING => {}
            ENABLE => self.enabled = value & !1,
            CONTEXT => self.threshold = value & MAX_PRIORITY,
            CLAIM => {
                if value != 0 && (value as usize) < SOURCES {
                    self.claimed &= !(1 << value);
                    self.gate();
                }
            }
            _ => {
                if let Some(priority) = self.priority.get_mut(offset as usize / 4) {
                    *priority = value & MAX_PRIORITY;
                }
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_interrupts_until_it_is_released() {
        let mut plic = Plic::default();
        plic.store(4 * 3, 4, 1);
        plic.store(4 * 5, 4, 1);
        plic.set_level(3, true);
        assert!(!plic.interrupting(), "not enabled");
        plic.store(ENABLE, 4, 1 << 3 | 1 << 5);
        assert!(plic.interrupting());
        plic.set_level(5, true);
        assert_eq!(plic.load(CLAIM, 4), Some(3), "of equal priorities the lowest number");
        assert_eq!(plic.load(CLAIM, 4), Some(5));
        assert_eq!(plic.load(CLAIM, 4), Some(0));
        assert!(!plic.interrupting());
        plic.store(CLAIM, 4, 3);
        assert!(plic.interrupting(), "still asserted");
        plic.set_level(3, false);
        assert!(!plic.interrupting());
        plic.store(4 * 5, 4, 7);
        plic.store(CLAIM, 4, 5);
        plic.store(CONTEXT, 4, 7);
        assert!(!plic.interrupting(), "not above the threshold");
        plic.store(CONTEXT, 4, 6);
        assert_eq!(plic.load(CLAIM, 4), Some(5));
    }

    #[test]
    fn only_words_exist() {
        let mut plic = Plic::default();
        assert_eq!(plic.load(4, 8), None);
        assert_eq!(plic.load(6, 4), None);
        assert_eq!(plic.store(CLAIM, 4, u64::MAX), Some(()));
        assert_eq!(plic.load(SIZE - 4, 4), Some(0));
    }
}
