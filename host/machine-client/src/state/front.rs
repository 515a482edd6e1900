//! The first bytes of a queue of them, copied in one go: collecting what a `VecDeque` drains is a loop over
//! single bytes, and everything that a machine says passes here.

use std::collections::VecDeque;

use tokio::io::ReadBuf;

/// Takes the first bytes, at most `most`.
pub fn take(queue: &mut VecDeque<u8>, most: usize) -> Vec<u8> {
    let mut taken = vec![0; most.min(queue.len())];
    move_into(queue, &mut ReadBuf::new(&mut taken));
    taken
}

/// Moves what fits into `into`; how much that was.
pub fn move_into(queue: &mut VecDeque<u8>, into: &mut ReadBuf<'_>) -> usize {
    let size = into.remaining().min(queue.len());
    let (front, back) = queue.as_slices();
    let of_front = size.min(front.len());
    into.put_slice(&front[..of_front]);
    into.put_slice(&back[..size - of_front]);
    queue.drain(..size);
    size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_across_the_end_of_the_ring() {
        let mut queue = VecDeque::with_capacity(8);
        let (mut put, mut got) = (0..=u8::MAX, Vec::new());
        while got.len() <= usize::from(u8::MAX) {
            queue.extend(put.by_ref().take(5));
            got.extend(take(&mut queue, 3));
            got.extend(take(&mut queue, 2));
        }
        assert_eq!(got, (0..=u8::MAX).collect::<Vec<_>>());
        assert!(take(&mut queue, 9).is_empty());
    }
}
