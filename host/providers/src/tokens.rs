//! Counts tokens where a provider does not: a server that reports no usage, an answer that broke off.
//!
//! With the vocabulary of OpenAI's current models (`o200k_base`, published with their `tiktoken`; here
//! from the crate `bpe-openai`, which has it built in). For those models the count of a text is exact.
//! Others have vocabularies of the same size made from the same kinds of text, so it is an estimate
//! for them, and a far better one than counting bytes: for code and for languages that UTF-8 writes in
//! three bytes a quarter of the bytes is wrong by a factor of two. Anthropic publishes no tokenizer.
//!
//! Called by both hosted providers. The vocabulary is unpacked when it is first needed, which in a
//! run whose provider reports usage is never.

/// Tokens of a text, which is read as text: special tokens that it spells out are not taken for them.
pub(crate) fn count(text: &str) -> u64 {
    bpe_openai::o200k_base().count(text) as u64
}

#[cfg(test)]
mod tests {
    use super::count;

    /// The numbers are those of OpenAI's own `tiktoken` 0.14.0 with `o200k_base`.
    #[test]
    fn texts_have_as_many_tokens_as_openai_counts() {
        let long = "a".repeat(1_000);
        for (text, tokens) in [
            ("", 0),
            ("Hello", 1),
            ("Hello, world!", 4),
            ("The lighthouse keeper counted the ships that passed in the night.", 12),
            ("fn main() {\n    println!(\"{}\", 1 + 2);\n}\n", 14),
            ("Die Rechnung wird ganzzahlig geführt.", 8),
            ("港には夜を過ぎる船が並んでいた。", 14),
            ("<|endoftext|>", 7),
            (&long, 125),
            ("🦀🦀 1234567890", 11),
            ("\u{a0}\u{2003}\t\n\n", 3),
        ] {
            assert_eq!(count(text), tokens, "{text:?}");
        }
    }
}
