//! Numbers per slot, in as few bytes as they need.

use crate::cache::bytes_of;

/// An array of numbers that is kept in bytes, then in 32-bit integers, then in full, whatever holds all of them exactly.
#[derive(Debug, Clone)]
pub(super) enum Store {
    Byte(Vec<u8>),
    Int(Vec<i32>),
    Full(Vec<f64>),
}

impl Store {
    pub(super) fn new() -> Self {
        Self::Byte(Vec::new())
    }

    /// The number at `slot`; 0 if none was ever set there.
    #[inline]
    pub(super) fn get(&self, slot: usize) -> f64 {
        match self {
            Self::Byte(v) => v.get(slot).map_or(0.0, |&n| f64::from(n)),
            Self::Int(v) => v.get(slot).map_or(0.0, |&n| f64::from(n)),
            Self::Full(v) => v.get(slot).copied().unwrap_or(0.0),
        }
    }

    #[inline]
    pub(super) fn set(&mut self, slot: usize, number: f64) {
        match self {
            Self::Byte(v) => {
                // A cast saturates, so equality says that nothing was lost. No sum here is -0.
                let small = number as u8;
                if f64::from(small) == number {
                    return put(v, slot, small);
                }
                *self = Self::Int(v.iter().map(|&n| i32::from(n)).collect());
            }
            Self::Int(v) => {
                let small = number as i32;
                if f64::from(small) == number {
                    return put(v, slot, small);
                }
                *self = Self::Full(v.iter().map(|&n| f64::from(n)).collect());
            }
            Self::Full(v) => return put(v, slot, number),
        }
        self.set(slot, number);
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Byte(v) => bytes_of(v),
            Self::Int(v) => bytes_of(v),
            Self::Full(v) => bytes_of(v),
        }
    }
}

#[inline]
fn put<T: Copy + Default>(v: &mut Vec<T>, slot: usize, number: T) {
    if slot == v.len() {
        v.push(number);
    } else {
        if slot > v.len() {
            v.resize(slot + 1, T::default());
        }
        v[slot] = number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widens_without_loss() {
        let mut store = Store::new();
        let numbers = [0.0, 255.0, -1.0, 256.0, 2e9, 3e9, 0.5, f64::MIN, 7.0];
        for (slot, &number) in numbers.iter().enumerate() {
            store.set(slot, number);
            for (slot, &number) in numbers[..=slot].iter().enumerate() {
                assert_eq!(store.get(slot), number);
            }
        }
        store.set(1, f64::NAN);
        assert!(store.get(1).is_nan());
        store.set(20, 1.0);
        assert_eq!(
            (store.get(15), store.get(20), store.get(99)),
            (0.0, 1.0, 0.0)
        );
    }
}
