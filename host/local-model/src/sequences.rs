//! Which tokens the key-value cache holds, and how a new prompt can reuse them.
//!
//! There is one cache for all sessions, as large as one context window, so memory does not grow
//! with sessions. It is divided into sequences; sequences that begin with the same tokens share
//! the cells of those, so the system text of ten sessions is held once. This module only keeps
//! the books: the generation loop carries out the plan on the context.

use domain::SessionId;

/// Sequences kept at once: recent sessions with their sub-agents. More would only help when their
/// differing parts fit one context window together, which they rarely do.
pub(crate) const SEQUENCES_MAX: usize = 8;
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

impl<T: Copy + PartialEq> Sequences<T> {
    pub(crate) fn new(rewind: Rewind) -> Self {
        let empty = Sequence { session: None, tokens: Vec::new(), used: 0 };
        Self { all: vec![empty; SEQUENCES_MAX], clock: 0, rewind }
    }

    /// Chooses a sequence for a prompt and books it as holding the kept tokens. The last token of
    /// the prompt is never kept, because computing it gives the first prediction.
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
            Some((kept, own, i)) if own && kept * KEPT_IN_PLACE >= self.all[i].tokens.len() => {
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
        };
        plan
    }

    /// Books tokens that were computed in a sequence.
    pub(crate) fn extend(&mut self, sequence: usize, tokens: &[T]) {
        self.all[sequence].tokens.extend_from_slice(tokens);
    }

    /// Tokens in a sequence: the position of the next.
    pub(crate) fn len(&self, sequence: usize) -> usize {
        self.all[sequence].tokens.len()
    }

    /// Forgets a sequence; the caller clears its cells.
    pub(crate) fn forget(&mut self, sequence: usize) {
        self.all[sequence] = Sequence { session: None, tokens: Vec::new(), used: 0 };
    }

    /// The least recently used sequence other than `current` that holds tokens.
    pub(crate) fn evictable(&self, current: usize) -> Option<usize> {
        (0..self.all.len())
            .filter(|i| *i != current && !self.all[*i].tokens.is_empty())
            .min_by_key(|i| self.all[*i].used)
    }

    fn oldest(&self) -> usize {
        (0..self.all.len()).min_by_key(|i| self.all[*i].used).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(name: &str) -> SessionId {
        SessionId::new(name).unwrap()
    }

    /// Plans, then computes the rest, as the generation loop does.
    fn run(sequences: &mut Sequences<u32>, name: &str, prompt: &[u32]) -> Plan {
        let plan = sequences.plan(&session(name), prompt);
        assert_eq!(sequences.len(plan.sequence), plan.kept);
        sequences.extend(plan.sequence, &prompt[plan.kept..]);
        plan
    }

    #[test]
    fn a_second_turn_continues_in_place() {
        let mut sequences = Sequences::new(Rewind::AnyToken);
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
        let mut sequences = Sequences::new(Rewind::AnyToken);
        let a = run(&mut sequences, "a", &[1, 2, 3, 4, 5]);
        let b = run(&mut sequences, "b", &[1, 2, 3, 9]);
        assert_eq!((b.kept, b.copy_from), (3, Some(a.sequence)));
        assert_ne!(a.sequence, b.sequence);
        assert_eq!(run(&mut sequences, "a", &[1, 2, 3, 4, 5, 6]).kept, 5);
        assert_eq!(run(&mut sequences, "b", &[1, 2, 3, 9, 10]).kept, 4);
    }

    #[test]
    fn a_sub_agent_does_not_push_out_the_conversation() {
        let mut sequences = Sequences::new(Rewind::AnyToken);
        run(&mut sequences, "a", &[1, 2, 3, 4, 5, 6]);
        assert_eq!(run(&mut sequences, "a", &[1, 9, 9]).kept, 1);
        assert_eq!(run(&mut sequences, "a", &[1, 2, 3, 4, 5, 6, 7]).kept, 6);
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut sequences = Sequences::new(Rewind::AnyToken);
        let first = run(&mut sequences, "s0", &[100, 1]);
        for i in 1..SEQUENCES_MAX as u32 {
            run(&mut sequences, &format!("s{i}"), &[100 + i, 1]);
        }
        run(&mut sequences, "s0", &[100, 1, 2]);
        let more = run(&mut sequences, "new", &[7, 7]);
        assert_ne!(more.sequence, first.sequence);
        assert_eq!(run(&mut sequences, "s0", &[100, 1, 2, 3]).kept, 3);
        assert_eq!(run(&mut sequences, "s1", &[101, 1, 2]).kept, 0, "s1 was the oldest");
        let evicted = sequences.evictable(first.sequence);
        assert!(evicted.is_some() && evicted != Some(first.sequence));
    }

    #[test]
    fn recurrent_state_is_continued_or_dropped_whole() {
        let mut sequences = Sequences::new(Rewind::Nothing);
        let a = run(&mut sequences, "a", &[1, 2, 3]);
        let more = run(&mut sequences, "a", &[1, 2, 3, 4]);
        assert_eq!(more, Plan { sequence: a.sequence, kept: 3, copy_from: None });
        assert_eq!(run(&mut sequences, "a", &[1, 2, 9, 4]).kept, 0);
        let b = run(&mut sequences, "b", &[1, 2, 3, 4, 5]);
        assert_eq!((b.kept, b.copy_from), (0, None));
    }
}
