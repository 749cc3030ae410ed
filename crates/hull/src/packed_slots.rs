//! A list of slots, packed while the slots are consecutive.

use alloc::vec::Vec;

/// A list of slots. While they are consecutive the list takes no memory beyond itself, and a read
/// touches none: in a stream of keys that are all vertices, slots count up.
#[derive(Clone, Debug)]
pub(crate) enum PackedSlots {
    /// The slots `first`, `first + 1` and so on.
    Run {
        first: u32,
        len: u32,
    },
    List(Vec<u32>),
}

impl Default for PackedSlots {
    fn default() -> Self {
        Self::Run { first: 0, len: 0 }
    }
}

impl PackedSlots {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Run { len, .. } => *len as usize,
            Self::List(list) => list.len(),
        }
    }

    #[inline]
    pub(crate) fn get(&self, at: usize) -> u32 {
        match self {
            Self::Run { first, len } => {
                debug_assert!(at < *len as usize, "index {at} of {len}");
                first + at as u32
            }
            Self::List(list) => list[at],
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, slot: u32) {
        match self {
            Self::Run {
                first,
                len: len @ 0,
            } => (*first, *len) = (slot, 1),
            // Slots are below 2^32 - 1, so the sum does not overflow.
            Self::Run { first, len } if *first + *len == slot => *len += 1,
            _ => self.list().push(slot),
        }
    }

    pub(crate) fn insert(&mut self, at: usize, slot: u32) {
        if at == self.len() {
            self.push(slot);
        } else {
            self.list().insert(at, slot);
        }
    }

    pub(crate) fn replace(&mut self, at: usize, slot: u32) -> u32 {
        let old = self.get(at);
        if old != slot {
            if self.len() == 1 {
                *self = Self::default();
                self.push(slot);
            } else {
                self.list()[at] = slot;
            }
        }
        old
    }

    #[inline]
    pub(crate) fn remove(&mut self, at: usize) -> u32 {
        let old = self.get(at);
        match self {
            Self::Run { len, .. } if at + 1 == *len as usize => *len -= 1,
            Self::Run { first, len } if at == 0 => (*first, *len) = (*first + 1, *len - 1),
            _ => {
                self.list().remove(at);
            }
        }
        old
    }

    pub(crate) fn split_off(&mut self, at: usize) -> Self {
        match self {
            Self::Run { first, len } => {
                let rest = *len - at as u32;
                *len = at as u32;
                Self::Run {
                    first: *first + at as u32,
                    len: rest,
                }
            }
            Self::List(list) => Self::List(list.split_off(at)),
        }
    }

    /// Appends the slots of another list, and leaves that one empty.
    pub(crate) fn append(&mut self, other: &mut Self) {
        for at in 0..other.len() {
            self.push(other.get(at));
        }
        *other = Self::default();
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::Run { .. } => 0,
            Self::List(list) => list.capacity() * size_of::<u32>(),
        }
    }

    /// The slots as a vector. The list stays unpacked from now on.
    #[inline]
    fn list(&mut self) -> &mut Vec<u32> {
        if let Self::Run { first, len } = *self {
            *self = Self::List((first..first + len).collect());
        }
        match self {
            Self::List(list) => list,
            Self::Run { .. } => unreachable!("packed slots were unpacked above"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use core::mem;

    #[test]
    fn behaves_as_a_vec() {
        let mut random = Random::new(5);
        let mut below = |n: usize| random.below(n);
        for _ in 0..if cfg!(miri) { 200 } else { 2_000 } {
            let (mut slots, mut model) = (PackedSlots::default(), Vec::new());
            for step in 0..20 {
                let at = below(model.len() + 1);
                let inside = at < model.len();
                // The slot is often the one that continues the run.
                let slot = match model.last() {
                    Some(&last) if below(4) > 0 => last + 1,
                    _ => below(9) as u32,
                };
                match below(8) {
                    0 | 1 if inside => assert_eq!(slots.remove(at), model.remove(at)),
                    2 if inside => {
                        let old = mem::replace(&mut model[at], slot);
                        assert_eq!(slots.replace(at, slot), old);
                    }
                    3 => {
                        let mut rest = slots.split_off(at);
                        let model_rest = model.split_off(at);
                        assert_eq!(rest.len(), model_rest.len());
                        if step % 2 == 0 {
                            slots.append(&mut rest);
                            model.extend(model_rest);
                        }
                    }
                    4 => {
                        slots.insert(at, slot);
                        model.insert(at, slot);
                    }
                    _ => {
                        slots.push(slot);
                        model.push(slot);
                    }
                }
                let got: Vec<u32> = (0..slots.len()).map(|i| slots.get(i)).collect();
                assert_eq!(got, model);
            }
        }
    }
}
