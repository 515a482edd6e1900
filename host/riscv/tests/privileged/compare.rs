//! A batch of programs in one image, our run of it, and what to say about differences.

use super::handler;
use super::layout::*;
use super::program::Program;
use super::support::Recorder;
use std::collections::BTreeMap;

use riscv::{Config, Machine, Stop};

/// Instructions after which a batch of ours must have ended.
const BUDGET: u64 = 200_000_000;

/// Words of an entry, and causes.
const SEPC: usize = 32;
const SCAUSE: usize = 33;
const STVAL: usize = 34;
const BREAKPOINT: u64 = 3;
const LOAD_ACCESS: u64 = 5;
const STORE_ACCESS: u64 = 7;

pub struct Batch {
    pub image: Vec<u8>,
    programs: Vec<Program>,
}

impl Batch {
    /// Programs of consecutive seeds.
    pub fn new(first: u64) -> Self {
        let mut image = handler::write(area(0) + at::CODE);
        let mut programs = Vec::new();
        for number in 0..PROGRAMS {
            let next = (number + 1 < PROGRAMS).then(|| area(number + 1) + at::CODE);
            let program = Program::new(first + number, area(number), next);
            image.resize((area(number) - START) as usize, 0);
            image.extend_from_slice(&program.bytes);
            programs.push(program);
        }
        Self { image, programs }
    }

    /// Memory from the image on, after our run.
    pub fn run_ours(&self) -> Vec<u8> {
        let memory = MEMORY as usize;
        let config = Config { memory, size: (80, 25), ports: &[], disk: None, shares: &[] };
        let mut machine = Machine::new(&config);
        machine.load(START, &self.image).expect("fits");
        machine.start(START, 0);
        let mut left = BUDGET;
        // Odd slices, so that they end anywhere.
        let slice = 99_991;
        let stop = loop {
            let stop = machine.run(slice, &mut Recorder::default());
            left = left.saturating_sub(slice);
            if stop != Stop::Budget || left == 0 {
                break stop;
            }
        };
        let hart = &machine.cpu.hart;
        assert_eq!(stop, Stop::Shutdown, "ours ends at {:#x}, x3 {:#x}", hart.pc, hart.x[3]);
        let size = (riscv::BASE + MEMORY - START) as usize;
        machine.cpu.memory.get(START, size).expect("inside").to_vec()
    }

    /// The traps that all programs met: how many of which cause.
    pub fn traps(&self, memory: &[u8]) -> BTreeMap<u64, usize> {
        let mut causes = BTreeMap::new();
        for entry in (0..PROGRAMS).flat_map(|number| log(memory, number)) {
            *causes.entry(entry[SCAUSE]).or_default() += 1;
        }
        causes
    }

    /// A line for each program that differs: its first difference, since others may follow from it.
    pub fn differences(&self, ours: &[u8], theirs: &[u8]) -> Vec<String> {
        assert_eq!(ours.len(), theirs.len(), "sizes of memory");
        let programs = (0..PROGRAMS).zip(&self.programs);
        programs
            .filter_map(|(number, program)| {
                let what = in_log(program, &log(ours, number), &log(theirs, number))
                    .or_else(|| in_memory(number, ours, theirs))?;
                Some(format!("seed {}: {what}", program.seed))
            })
            .chain(in_superpage(ours, theirs))
            .collect()
    }
}

type Entry = [u64; ENTRY_WORDS];

/// The entries that were written: each has a resumption address, which is never zero.
fn log(memory: &[u8], number: u64) -> Vec<Entry> {
    let start = (area(number) + at::LOG - START) as usize;
    let bytes = &memory[start..start + (AREA - at::LOG) as usize];
    bytes
        .chunks_exact(ENTRY as usize)
        .map(|entry| {
            let mut words = entry.chunks_exact(8).map(|word| word.try_into().expect("eight"));
            std::array::from_fn(|_| words.next().map_or(0, u64::from_le_bytes))
        })
        .take_while(|entry: &Entry| entry[2] != 0)
        .collect()
}

fn in_log(program: &Program, ours: &[Entry], theirs: &[Entry]) -> Option<String> {
    let entries = ours.len().max(theirs.len());
    (0..entries).find_map(|n| {
        let (Some(a), Some(b)) = (ours.get(n), theirs.get(n)) else {
            let (more, whose) = ours.get(n).map_or_else(|| (theirs[n], "QEMU"), |a| (*a, "ours"));
            return Some(format!("{whose} has one trap more: {}", describe(program, &more)));
        };
        let (a, b) = (masked(a), masked(b));
        let words = (0..ENTRY_WORDS).filter(|&word| a[word] != b[word]);
        let words: Vec<String> = words
            .map(|word| format!("{} ours {:#x} QEMU {:#x}", word_name(word), a[word], b[word]))
            .collect();
        (!words.is_empty())
            .then(|| format!("trap {n}: {}; {}", words.join(", "), describe(program, &a)))
    })
}

/// What implementations may do as they like, see the table of the test. The handler does the same to what
/// programs read afterwards.
fn masked(entry: &Entry) -> Entry {
    let mut entry = *entry;
    match entry[SCAUSE] {
        BREAKPOINT => entry[STVAL] = 0,
        LOAD_ACCESS | STORE_ACCESS => entry[STVAL] &= !7,
        _ => {}
    }
    entry
}

/// Whose trap it is, and what was done just before.
fn describe(program: &Program, entry: &Entry) -> String {
    let at = program.items.iter().position(|item| item.next == entry[2]);
    let Some(at) = at else { return format!("x3 {:#x} is nobody's", entry[2]) };
    let what: Vec<&str> =
        program.items[at.saturating_sub(3)..=at].iter().map(|item| item.what.as_str()).collect();
    format!("scause {:#x} sepc {:#x}; {}", entry[SCAUSE], entry[SEPC], what.join(" | "))
}

/// Tables, data and code.
fn in_memory(number: u64, ours: &[u8], theirs: &[u8]) -> Option<String> {
    let start = (area(number) - START) as usize;
    difference(&ours[start..start + at::LOG as usize], &theirs[start..start + at::LOG as usize])
        .map(|(at, a, b)| format!("offset {at:#x} of its area: ours {a:#x} QEMU {b:#x}"))
}

fn in_superpage(ours: &[u8], theirs: &[u8]) -> Option<String> {
    let start = (SUPER - START) as usize;
    let end = start + (2 << 20);
    difference(&ours[start..end], &theirs[start..end])
        .map(|(at, a, b)| format!("offset {at:#x} of the superpage: ours {a:#x} QEMU {b:#x}"))
}

fn difference(ours: &[u8], theirs: &[u8]) -> Option<(usize, u64, u64)> {
    let words = ours.chunks_exact(8).zip(theirs.chunks_exact(8));
    let at = words.into_iter().position(|(a, b)| a != b)?;
    let word =
        |bytes: &[u8]| bytes[8 * at..].first_chunk().map_or(0, |word| u64::from_le_bytes(*word));
    Some((8 * at, word(ours), word(theirs)))
}
