//! Sparse arrays: only pages that were written take memory.

const PAGE: usize = 1024;

/// An array without end whose elements are `T::default()` until they are written.
#[derive(Debug, Clone)]
pub(super) struct Paged<T> {
    pages: Vec<Option<Box<[T; PAGE]>>>,
}

impl<T> Default for Paged<T> {
    fn default() -> Self {
        Self { pages: Vec::new() }
    }
}

impl<T: Copy + Default> Paged<T> {
    /// All written elements are before this one.
    pub(super) fn len(&self) -> usize {
        self.pages.len() * PAGE
    }

    pub(super) fn get(&self, index: usize) -> T {
        match self.pages.get(index / PAGE) {
            Some(Some(page)) => page[index % PAGE],
            _ => T::default(),
        }
    }

    pub(super) fn set(&mut self, index: usize, value: T) {
        let number = index / PAGE;
        if number >= self.pages.len() {
            self.pages.resize(number + 1, None);
        }
        let page = self.pages[number].get_or_insert_with(|| Box::new([T::default(); PAGE]));
        page[index % PAGE] = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unwritten_entries_are_default() {
        let mut words = Paged::<u32>::default();
        assert_eq!(words.get(usize::MAX), 0);
        words.set(3 * PAGE, 7);
        words.set(3 * PAGE - 1, 6);
        let read = [
            0,
            3 * PAGE - 2,
            3 * PAGE - 1,
            3 * PAGE,
            3 * PAGE + 1,
            4 * PAGE,
        ];
        assert_eq!(read.map(|index| words.get(index)), [0, 0, 6, 7, 0, 0]);
    }
}
