//! A list of numbers that is mostly a run of consecutive ones.

use alloc::vec::Vec;

/// A list of `u32`. While it is a run it takes no memory beyond itself, and reading from it touches
/// none: in a stream of keys that are all vertices, slots count up.
#[derive(Clone, Debug)]
pub(crate) enum Numbers {
    /// `first`, `first + 1` and so on.
    Run {
        first: u32,
        len: u32,
    },
    List(Vec<u32>),
}

impl Default for Numbers {
    fn default() -> Self {
        Self::Run { first: 0, len: 0 }
    }
}

impl Numbers {
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
                debug_assert!(at < *len as usize, "number {at} of {len}");
                first + at as u32
            }
            Self::List(list) => list[at],
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, number: u32) {
        match self {
            Self::Run {
                first,
                len: len @ 0,
            } => (*first, *len) = (number, 1),
            // Slots are below 2^32 - 1, so the next one is a number.
            Self::Run { first, len } if *first + *len == number => *len += 1,
            _ => self.list().push(number),
        }
    }

    pub(crate) fn insert(&mut self, at: usize, number: u32) {
        if at == self.len() {
            self.push(number);
        } else {
            self.list().insert(at, number);
        }
    }

    pub(crate) fn replace(&mut self, at: usize, number: u32) -> u32 {
        let old = self.get(at);
        if old != number {
            if self.len() == 1 {
                *self = Self::default();
                self.push(number);
            } else {
                self.list()[at] = number;
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

    /// Appends the numbers of another list, and leaves it empty.
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

    /// The numbers as a list, from now on.
    #[inline]
    fn list(&mut self) -> &mut Vec<u32> {
        if let Self::Run { first, len } = *self {
            *self = Self::List((first..first + len).collect());
        }
        match self {
            Self::List(list) => list,
            Self::Run { .. } => unreachable!("it was made a list"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem;

    #[test]
    fn behaves_as_a_vec() {
        let mut state = 5u64;
        let mut below = |n: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as usize % n
        };
        for _ in 0..if cfg!(miri) { 200 } else { 2_000 } {
            let (mut numbers, mut model) = (Numbers::default(), Vec::new());
            for step in 0..20 {
                let at = below(model.len() + 1);
                let inside = at < model.len();
                // Often the number that continues a run.
                let number = match model.last() {
                    Some(&last) if below(4) > 0 => last + 1,
                    _ => below(9) as u32,
                };
                match below(8) {
                    0 | 1 if inside => assert_eq!(numbers.remove(at), model.remove(at)),
                    2 if inside => {
                        let old = mem::replace(&mut model[at], number);
                        assert_eq!(numbers.replace(at, number), old);
                    }
                    3 => {
                        let mut rest = numbers.split_off(at);
                        let model_rest = model.split_off(at);
                        assert_eq!(rest.len(), model_rest.len());
                        if step % 2 == 0 {
                            numbers.append(&mut rest);
                            model.extend(model_rest);
                        }
                    }
                    4 => {
                        numbers.insert(at, number);
                        model.insert(at, number);
                    }
                    _ => {
                        numbers.push(number);
                        model.push(number);
                    }
                }
                let got: Vec<u32> = (0..numbers.len()).map(|i| numbers.get(i)).collect();
                assert_eq!(got, model);
            }
        }
    }
}
