//! A generated program: blocks that load a state, run, and dump the state.

/// Registers in a dump: `x1` to `x31`, `f0` to `f31`, `fcsr`, then the window of memory.
pub const WINDOW_WORDS: usize = 32;
pub const STATE_WORDS: usize = 31 + 32 + 1;
pub const DUMP_WORDS: usize = STATE_WORDS + WINDOW_WORDS;

#[derive(Debug)]
pub struct Program {
    pub base: u64,
    pub entry: u64,
    pub bytes: Vec<u8>,
    /// The call after which nothing is compared.
    pub end: u64,
    pub dump: u64,
    pub dump_size: usize,
    /// Random instructions, without those that load and dump.
    pub instructions: u64,
    /// The random code of each block, for messages.
    pub blocks: Vec<(u64, Vec<u8>)>,
}

impl Program {
    /// One line for each block that differs.
    pub fn differences<'a>(
        &'a self,
        ours: &'a [u8],
        theirs: &'a [u8],
    ) -> impl Iterator<Item = String> + 'a {
        assert_eq!(ours.len(), theirs.len(), "sizes of the dumps");
        let words = |bytes: &[u8]| -> Vec<u64> {
            bytes.chunks_exact(8).map(|w| u64::from_le_bytes(w.try_into().unwrap())).collect()
        };
        let size = DUMP_WORDS * 8;
        self.blocks.iter().enumerate().filter_map(move |(n, (address, code))| {
            let (a, b) = (words(&ours[n * size..][..size]), words(&theirs[n * size..][..size]));
            let differing: Vec<String> = (0..DUMP_WORDS)
                .filter(|&i| a[i] != b[i])
                .map(|i| format!("{} ours {:#x} QEMU {:#x}", name(i), a[i], b[i]))
                .collect();
            let code: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
            (!differing.is_empty())
                .then(|| format!("block {n} at {address:#x}: {} | {code}", differing.join(", ")))
        })
    }
}

fn name(word: usize) -> String {
    match word {
        0..31 => format!("x{}", word + 1),
        31..63 => format!("f{}", word - 31),
        63 => "fcsr".into(),
        _ => format!("memory+{}", 8 * (word - 64)),
    }
}
