//! Random programs: each starts from a state of its own and does random things, one after another.

use super::items;
use super::layout::*;
use super::pages;
use super::places::Focus;
use super::snippets;
use super::support::asm::*;
use super::support::rng::Rng;

/// Things that one program does.
const ITEMS: usize = 160;

/// What a part of a program's code does, for messages.
#[derive(Debug)]
pub struct Item {
    /// Where it goes on after a trap, which says in a log whose trap it was.
    pub next: u64,
    pub what: String,
}

#[derive(Debug)]
pub struct Program {
    pub seed: u64,
    /// From the start of its area to the end of its code.
    pub bytes: Vec<u8>,
    pub items: Vec<Item>,
}

/// What items are written with.
pub struct Writer {
    pub rng: Rng,
    pub area: u64,
    pub code: Code,
    /// Where data was accessed last, and whether the next access goes there.
    pub focus: Option<Focus>,
    pub again: bool,
    /// What is written next, the last first.
    pub following: Vec<fn(&mut Writer) -> String>,
    /// The piece of code that was changed last.
    pub changed: Option<u64>,
}

impl Program {
    /// The program of an area; `last` switches off in the end, the others go on with the next area.
    pub fn new(seed: u64, area: u64, follows: Option<u64>) -> Self {
        let mut rng = Rng(seed);
        let mut bytes = pages::tables(&mut rng, area);
        for _ in 0..DATA_PAGES {
            bytes.extend(snippets::page(&mut rng));
        }
        assert_eq!(bytes.len() as u64, at::CODE);
        let mut writer = Writer {
            rng,
            area,
            code: Code::at(area + at::CODE),
            focus: None,
            again: false,
            following: Vec::new(),
            changed: None,
        };
        let mut parts = Vec::new();
        writer.item(&mut parts, |writer| {
            writer.start();
            "the start".into()
        });
        for _ in 0..ITEMS {
            writer.item(&mut parts, items::any);
        }
        // All that is left to see.
        writer.item(&mut parts, |writer| {
            writer.code.word(EBREAK);
            "the end".into()
        });
        match follows {
            Some(next) => {
                let code = &mut writer.code;
                code.li(5, next).word(jalr(0, 5, 0));
            }
            None => super::handler::switch_off(&mut writer.code),
        }
        bytes.extend(writer.code.bytes);
        assert!(bytes.len() as u64 <= at::LOG, "the code is longer than its place");
        Self { seed, bytes, items: parts }
    }
}

impl Writer {
    /// Writes something that may trap: `x3` says where to go on.
    fn item(&mut self, parts: &mut Vec<Item>, write: impl FnOnce(&mut Self) -> String) {
        // The distance is known when all is written.
        let at = self.code.bytes.len();
        let here = self.code.here();
        self.code.words(&[0, 0]);
        let what = write(self);
        let next = self.code.here();
        let mut resume = Code::at(here);
        resume.la(3, next);
        self.code.bytes[at..at + 8].copy_from_slice(&resume.bytes);
        parts.push(Item { next, what });
    }

    /// Loads a constant.
    pub fn li(&mut self, register: u32, value: u64) {
        self.code.li(register, value);
    }

    /// Writes a CSR, by `x5`.
    pub fn set(&mut self, csr: u32, value: u64) {
        self.li(5, value);
        self.code.word(csrrw(0, csr, 5));
    }

    /// A state that depends on nothing that was before.
    fn start(&mut self) {
        let log = self.area + at::LOG;
        self.li(4, log);
        for csr in [items::SSTATUS, items::SIE, items::SIP, items::SEPC, items::SCAUSE] {
            self.set(csr, 0);
        }
        self.set(items::STVEC, HANDLER);
        self.set(items::SATP, pages::satp(self.area, 0));
        self.code.word(SFENCE_VMA);
        items::timer(self, u64::MAX);
        for (csr, mask) in [(0x140, u64::MAX), (0x143, u64::MAX), (0x106, 7), (0x10a, 1)] {
            let value = self.rng.next() & mask;
            self.set(csr, value);
        }
        self.set(items::SSTATUS, 3 << 13);
        self.set(3, 0);
        for register in [1, 2] {
            let value = self.rng.next();
            self.li(5, value);
            self.code.word(r(0x53, 0, 0x79, register, 5, 0));
        }
        for register in (1..32).filter(|&register| register != 3 && register != 4) {
            let value = self.rng.next() >> self.rng.below(64);
            self.li(register, value);
        }
    }
}
