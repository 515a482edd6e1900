//! Who gets how much of the next batch. Plain arithmetic, called by `schedule` before each batch.
//!
//! Answers that are being written go first, with a token each, so that nobody's text stops because
//! somebody else's prompt is long. What is left is for prompts, in equal shares: a short one does
//! not wait for a long one that came before it.

use crate::options::PARALLEL_MAX;

/// Tokens computed at once: a cancelled call gives up its place after at most this many (half a
/// second for a small model on one core), and larger batches are hardly faster on a CPU.
pub(crate) const BATCH: usize = 64;
/// Tokens of prompts in a batch beside answers that are being written: these wait for the whole
/// batch. Half a batch costs the reader a few percent and halves the pause of the others.
const PROMPTS_BESIDE_ANSWERS: usize = 32;

// Everybody gets a token of every batch.
const _: () = assert!(PARALLEL_MAX as usize <= PROMPTS_BESIDE_ANSWERS);
const _: () = assert!(PARALLEL_MAX as usize + PROMPTS_BESIDE_ANSWERS <= BATCH);

/// What an answer still has to compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wish {
    /// Tokens, at least one.
    pub tokens: usize,
    /// The prompt was read; these are its own words.
    pub writing: bool,
}

/// How many tokens of each wish the next batch takes.
pub(crate) fn shares(wishes: &[Wish]) -> Vec<usize> {
    let mut shares: Vec<usize> = wishes.iter().map(|wish| usize::from(wish.writing)).collect();
    let writing: usize = shares.iter().sum();
    let mut room = match writing {
        0 => BATCH,
        _ => PROMPTS_BESIDE_ANSWERS.min(BATCH.saturating_sub(writing)),
    };
    // The smallest wish first: what it does not need is shared by those after it.
    let mut hungry: Vec<usize> = (0..wishes.len()).collect();
    hungry.sort_by_key(|i| wishes[*i].tokens - shares[*i]);
    for (served, i) in hungry.iter().enumerate() {
        let share = room / (hungry.len() - served);
        let given = share.min(wishes[*i].tokens - shares[*i]);
        shares[*i] += given;
        room -= given;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(tokens: usize) -> Wish {
        Wish { tokens, writing: false }
    }

    const WRITING: Wish = Wish { tokens: 1, writing: true };

    #[test]
    fn a_prompt_alone_has_the_whole_batch() {
        assert_eq!(shares(&[reading(1_000)]), [BATCH]);
        assert_eq!(shares(&[reading(5)]), [5]);
        assert_eq!(shares(&[]), [0; 0]);
    }

    #[test]
    fn whoever_writes_is_in_every_batch() {
        assert_eq!(shares(&[WRITING, WRITING]), [1, 1]);
        assert_eq!(shares(&[WRITING, reading(1_000), WRITING]), [1, PROMPTS_BESIDE_ANSWERS, 1]);
        // Words that we put into its mouth share what is left with the prompts.
        let forced = Wish { tokens: 6, writing: true };
        assert_eq!(shares(&[forced, reading(1_000)]), [6, 27]);
    }

    #[test]
    fn a_short_prompt_does_not_wait_for_a_long_one() {
        assert_eq!(shares(&[reading(1_000), reading(1_000)]), [32, 32]);
        assert_eq!(shares(&[reading(1_000), reading(10)]), [54, 10]);
        assert_eq!(shares(&[reading(1_000), reading(10), reading(900)]), [27, 10, 27]);
    }

    #[test]
    fn nobody_is_left_out_and_the_batch_is_never_too_large() {
        for writing in 0..=PARALLEL_MAX as usize {
            let reading = (writing..PARALLEL_MAX as usize).map(|i| reading(i * 40 + 1));
            let wishes: Vec<_> = std::iter::repeat_n(WRITING, writing).chain(reading).collect();
            let shares = shares(&wishes);
            assert!(shares.iter().sum::<usize>() <= BATCH, "{shares:?}");
            for (share, wish) in shares.iter().zip(&wishes) {
                assert!((1..=wish.tokens).contains(share), "{shares:?} of {wishes:?}");
            }
        }
    }
}
