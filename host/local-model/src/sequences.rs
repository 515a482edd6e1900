//! Which tokens the key-value cache holds, and how a new prompt can reuse them.
//!
//! There is one cache for all sessions, as large as one context window, so memory does not grow
//! with sessions. It is divided into sequences; sequences that begin with the same tokens share
//! the cells of those, so the system text of ten sessions is held once. A sequence that an answer
//! is being written in is busy: it is copied from, and never cut or given away. This module only
//! keeps the books: `cache` carries out the plan on the context.

use domain::SessionId;

/// Sequences kept at least: recent sessions with their sub-agents. More would only help when their
/// differing parts fit one context window together, which they rarely do.
const SEQUENCES_MIN: usize = 8;
/// Sequences for each answer that may be in work: one to write in, one that was written before.
const SEQUENCES_PER_ANSWER: usize = 2;
/// A sequence of the same session is continued in place when at least one in this many of its
/// tokens stay (a follow-up message, an edited last turn); otherwise it is kept beside the new
/// one, because a sub-agent or a summary may be followed by the old conversation again.
const KEPT_IN_PLACE: usize = 2;

/// What to do before the rest of a prompt is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The sequence to compute in.
    pub sequence: usize,
    /// Tokens at its beginning that are in the cache already, after `copy_from`.
    pub kept: usize,
    /// Clear the sequence, then share the first `kept` tokens of this one.
    pub copy_from: Option<usize>,
}

#[derive(Debug, Clone)]
struct Sequence<T> {
    session: Option<SessionId>,
    tokens: Vec<T>,
    used: u64,
    busy: bool,
}

impl<T> Sequence<T> {
    const EMPTY: Self = Self { session: None, tokens: Vec::new(), used: 0, busy: false };
}

/// How much of a sequence a model can take back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rewind {
    /// Attention: to any token.
    AnyToken,
    /// Recurrent state: only all of it.
    Nothing,
}

#[derive(Debug)]
pub(crate) struct Sequences<T> {
    all: Vec<Sequence<T>>,
    clock: u64,
    rewind: Rewind,
}

/// Sequences that are kept when so many answers may be in work.
pub(crate) fn count(parallel: usize) -> usize {
    parallel.saturating_mul(SEQUENCES_PER_ANSWER).max(SEQUENCES_MIN)
}

impl<T: Copy + PartialEq> Sequences<T> {
    /// `parallel`: the most that are busy at once; there is always one more.
    pub(crate) fn new(rewind: Rewind, parallel: usize) -> Self {
        Self { all: vec![Sequence::EMPTY; count(parallel)], clock: 0, rewind }
    }

    /// Chooses a sequence for a prompt and books it as busy and as holding the kept tokens. The
    /// last token of the prompt is never kept, because computing it gives the first prediction.
    pub(crate) fn plan(&mut self, session: &SessionId, prompt: &[T]) -> Plan {
        let reusable = &prompt[..prompt.len().saturating_sub(1)];
        let common = |sequence: &Sequence<T>| {
            let n = sequence.tokens.iter().zip(reusable).take_while(|(a, b)| a == b).count();
            match self.rewind {
                Rewind::AnyToken => n,
                Rewind::Nothing if n == sequence.tokens.len() => n,
                Rewind::Nothing => 0,
            }
        };
        let best = (0..self.all.len())
            .map(|i| (common(&self.all[i]), self.all[i].session.as_ref() == Some(session), i))
            .max_by_key(|(n, own, i)| (*n, *own, self.all[*i].used))
            .filter(|(n, ..)| *n > 0);
        let plan = match best {
            Some((kept, own, i))
                if own && !self.all[i].busy && kept * KEPT_IN_PLACE >= self.all[i].tokens.len() =>
            {
                Plan { sequence: i, kept, copy_from: None }
            }
            Some((kept, _, i)) => {
                let sequence = self.oldest();
                if sequence == i {
                    Plan { sequence, kept, copy_from: None }
                } else if self.rewind == Rewind::Nothing {
                    Plan { sequence, kept: 0, copy_from: None }
                } else {
                    Plan { sequence, kept, copy_from: Some(i) }
                }
            }
            None => Plan { sequence: self.oldest(), kept: 0, copy_from: None },
        };
        self.clock += 1;
        self.all[plan.sequence] = Sequence {
            session: Some(session.clone()),
            tokens: prompt[..plan.kept].to_vec(),
            used: self.clock,
            busy: true,
        };
        plan
    }

    /// The answer in a sequence ended or was put off; its tokens stay for the next.
    pub(crate) fn release(&mut self, sequence: usize) {
        self.all[sequence].busy = false;
    }

    /// Whether a sequence can begin as a copy of another's beginning.
    pub(crate) fn can_share(&self) -> bool {
        self.rewind == Rewind::AnyToken
    }

    /// Books tokens that were computed in a sequence.
    pub(crate) fn extend(&mut self, sequence: usize, tokens: &[T]) {
        self.all[sequence].tokens.extend_from_slice(tokens);
    }

    /// Tokens in a sequence: the position of the next.
    pub(crate) fn len(&self, sequence: usize) -> usize {
        self.all[sequence].tokens.len()
    }

    /// Forgets what a sequence holds; the caller clears its cells. Who is busy in it stays so.
    pub(crate) fn forget(&mut self, sequence: usize) {
        let busy = self.all[sequence].busy;
        self.all[sequence] = Sequence { busy, ..Sequence::EMPTY };
    }

    /// The least recently used sequence that holds tokens and that nobody is busy in.
    pub(crate) fn evictable(&self) -> Option<usize> {
        (0..self.all.len())
            .filter(|i| !self.all[*i].busy && !self.all[*i].tokens.is_empty())
            .min_by_key(|i| self.all[*i].used)
    }

    fn oldest(&self) -> usize {
        let idle = (0..self.all.len()).filter(|i| !self.all[*i].busy);
        idle.min_by_key(|i| self.all[*i].used).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(name: &str) -> SessionId {
        SessionId::new(name).unwrap()
    }

    /// Plans, then computes the rest, as an answer does that stays in work.
    fn begin(sequences: &mut Sequences<u32>, name: &str, prompt: &[u32]) -> Plan {
        let plan = sequences.plan(&session(name), prompt);
        assert_eq!(sequences.len(plan.sequence), plan.kept);
        sequences.extend(plan.sequence, &prompt[plan.kept..]);
        plan
    }

    /// A whole answer.
    fn run(sequences: &mut Sequences<u32>, name: &str, prompt: &[u32]) -> Plan {
        let plan = begin(sequences, name, prompt);
        sequences.release(plan.sequence);
        plan
    }

    #[test]
    fn a_second_turn_continues_in_place() {
        let mut sequences = Sequences::new(Rewind::AnyToken, 4);
        let first = run(&mut sequences, "a", &[1, 2, 3, 4]);
        assert_eq!((first.kept, first.copy_from), (0, None));
        let second = run(&mut sequences, "a", &[1, 2, 3, 4, 5, 6]);
        assert_eq!(second, Plan { sequence: first.sequence, kept: 4, copy_from: None });
        let same = run(&mut sequences, "a", &[1, 2, 3, 4, 5, 6]);
        assert_eq!(same.kept, 5, "the last token is computed again");
        let edited = run(&mut sequences, "a", &[1, 2, 3, 4, 7]);
        assert_eq!(edited, Plan { sequence: first.sequence, kept: 4, copy_from: None });
    }

    #[test]
    fn other_sessions_share_the_beginning_and_keep_their_own() {
        let mut sequences = Sequences::new(Rewind::AnyToken, 4);
        let a = run(&mut sequences, "a", &[1, 2, 3, 4, 5]);
        let b = run(&mut sequences, "b", &[1, 2, 3, 9]);
        assert_eq!((b.kept, b.copy_from), (3, Some(a.sequence)));
        assert_ne!(a.sequence, b.sequence);
        assert_eq!(run(&mut sequences, "a", &[1, 2, 3, 4, 5, 6]).kept, 5);
        assert_eq!(run(&mut sequences, "b", &[1, 2, 3, 9, 10]).kept, 4);
    }

    #[test]
    fn a_sub_agent_does_not_push_out_the_conversation() {
        let mut sequences = Sequences::new(Rewind::AnyToken, 4);
        run(&mut sequences, "a", &[1, 2, 3, 4, 5, 6]);
        assert_eq!(run(&mut sequences, "a", &[1, 9, 9]).kept, 1);
        assert_eq!(run(&mut sequences, "a", &[1, 2, 3, 4, 5, 6, 7]).kept, 6);
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut sequences = Sequences::new(Rewind::AnyToken, 4);
        let first = run(&mut sequences, "s0", &[100, 1]);
        for i in 1..count(4) as u32 {
            run(&mut sequences, &format!("s{i}"), &[100 + i, 1]);
        }
        run(&mut sequences, "s0", &[100, 1, 2]);
        let more = run(&mut sequences, "new", &[7, 7]);
        assert_ne!(more.sequence, first.sequence);
        assert_eq!(run(&mut sequences, "s0", &[100, 1, 2, 3]).kept, 3);
        assert_eq!(run(&mut sequences, "s1", &[101, 1, 2]).kept, 0, "s1 was the oldest");
        let evicted = sequences.evictable();
        assert!(evicted.is_some() && evicted != Some(first.sequence));
    }

    #[test]
    fn a_busy_sequence_is_shared_and_never_taken() {
        let mut sequences = Sequences::new(Rewind::AnyToken, 4);
        let busy: Vec<_> = (0..4)
            .map(|i| begin(&mut sequences, &format!("s{i}"), &[1, 2, 3, 10 + i]).sequence)
            .collect();
        // The same session asks again while its first answer is written.
        let twin = begin(&mut sequences, "s0", &[1, 2, 3, 10, 5]);
        assert_eq!((twin.kept, twin.copy_from), (4, Some(busy[0])));
        sequences.release(twin.sequence);
        for i in 0..20 {
            let plan = run(&mut sequences, &format!("other{i}"), &[i + 100, 7]);
            assert!(!busy.contains(&plan.sequence), "{plan:?} is busy");
        }
        while let Some(evicted) = sequences.evictable() {
            assert!(!busy.contains(&evicted));
            sequences.forget(evicted);
        }
        sequences.release(busy[2]);
        assert_eq!(sequences.evictable(), Some(busy[2]));
        sequences.forget(busy[1]);
        assert_ne!(run(&mut sequences, "late", &[9]).sequence, busy[1], "forgotten and still busy");
    }

    #[test]
    fn recurrent_state_is_continued_or_dropped_whole() {
        let mut sequences = Sequences::new(Rewind::Nothing, 4);
        let a = run(&mut sequences, "a", &[1, 2, 3]);
        let more = run(&mut sequences, "a", &[1, 2, 3, 4]);
        assert_eq!(more, Plan { sequence: a.sequence, kept: 3, copy_from: None });
        assert_eq!(run(&mut sequences, "a", &[1, 2, 9, 4]).kept, 0);
        let b = run(&mut sequences, "b", &[1, 2, 3, 4, 5]);
        assert_eq!((b.kept, b.copy_from), (0, None));
    }
}
