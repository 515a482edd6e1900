//! A writer of flattened device trees.
//!
//! Used by [`crate::tree`]. It only writes, and only what one of our trees needs.
//!
//! Devicetree Specification 0.4, chapter 5 "Flattened Devicetree (DTB) Format".

use alloc::vec::Vec;

const MAGIC: u32 = 0xd00d_feed;
const VERSION: u32 = 17;
const LAST_COMPATIBLE: u32 = 16;
const HEADER: usize = 40;
/// An empty memory reservation block: one entry of zeros.
const RESERVATIONS: usize = 16;

const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROPERTY: u32 = 3;
const END: u32 = 9;

/// A tree being written.
#[derive(Clone, Debug, Default)]
pub struct Fdt {
    structure: Vec<u8>,
    strings: Vec<u8>,
}

impl Fdt {
    fn word(&mut self, value: u32) {
        self.structure.extend_from_slice(&value.to_be_bytes());
    }

    fn pad(&mut self) {
        let size = self.structure.len().next_multiple_of(4);
        self.structure.resize(size, 0);
    }

    /// Writes a node and, inside of it, what `inside` writes.
    pub fn node(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.word(BEGIN_NODE);
        self.structure.extend_from_slice(name.as_bytes());
        self.structure.push(0);
        self.pad();
        inside(self);
        self.word(END_NODE);
    }

    /// A property of bytes.
    pub fn bytes(&mut self, name: &str, value: &[u8]) {
        let at = self.strings.len() as u32;
        self.strings.extend_from_slice(name.as_bytes());
        self.strings.push(0);
        self.word(PROPERTY);
        self.word(value.len() as u32);
        self.word(at);
        self.structure.extend_from_slice(value);
        self.pad();
    }

    /// A property without a value.
    pub fn flag(&mut self, name: &str) {
        self.bytes(name, &[]);
    }

    /// A property of 32-bit cells.
    pub fn cells(&mut self, name: &str, cells: &[u32]) {
        let bytes: Vec<u8> = cells.iter().flat_map(|cell| cell.to_be_bytes()).collect();
        self.bytes(name, &bytes);
    }

    /// An address and a size, two cells each.
    pub fn range(&mut self, name: &str, address: u64, size: u64) {
        let high_low = |value: u64| [(value >> 32) as u32, value as u32];
        let ([a, b], [c, d]) = (high_low(address), high_low(size));
        self.cells(name, &[a, b, c, d]);
    }

    /// A property of strings, which must not contain zeros.
    pub fn strings(&mut self, name: &str, values: &[&str]) {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.bytes().chain([0])).collect();
        self.bytes(name, &bytes);
    }

    /// The finished tree.
    pub fn finish(mut self) -> Vec<u8> {
        self.word(END);
        let structure_at = HEADER + RESERVATIONS;
        let strings_at = structure_at + self.structure.len();
        let total = strings_at + self.strings.len();
        let header = [
            MAGIC,
            total as u32,
            structure_at as u32,
            strings_at as u32,
            HEADER as u32,
            VERSION,
            LAST_COMPATIBLE,
            0,
            self.strings.len() as u32,
            self.structure.len() as u32,
        ];
        let mut tree: Vec<u8> = header.iter().flat_map(|word| word.to_be_bytes()).collect();
        tree.resize(structure_at, 0);
        tree.extend_from_slice(&self.structure);
        tree.extend_from_slice(&self.strings);
        tree
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_the_specification_s() {
        let mut fdt = Fdt::default();
        fdt.node("", |fdt| fdt.strings("a", &["xyz"]));
        let tree = fdt.finish();
        let word = |at: usize| u32::from_be_bytes(tree[at..at + 4].try_into().unwrap());
        assert_eq!(word(0), MAGIC);
        assert_eq!(word(4) as usize, tree.len());
        let structure = word(8) as usize;
        let words: Vec<u32> = (0..8).map(|i| word(structure + 4 * i)).collect();
        let xyz = u32::from_be_bytes(*b"xyz\0");
        assert_eq!(words, [BEGIN_NODE, 0, PROPERTY, 4, 0, xyz, END_NODE, END]);
        assert_eq!(&tree[word(12) as usize..], b"a\0");
    }
}
