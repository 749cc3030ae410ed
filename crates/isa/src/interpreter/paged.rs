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

impl<T: Copy + Default + PartialEq> Paged<T> {
    /// The last index up to this one whose element is not the default.
    pub(super) fn last_until(&self, index: usize) -> Option<usize> {
        let written = |page: &[T; PAGE], range: std::ops::Range<usize>| {
            page[range].iter().rposition(|item| *item != T::default())
        };
        (0..=(index / PAGE).min(self.pages.len().checked_sub(1)?))
            .rev()
            .find_map(|number| {
                let page = self.pages[number].as_ref()?;
                let end = (index + 1 - number * PAGE).min(PAGE);
                Some(number * PAGE + written(page, 0..end)?)
            })
    }

    /// The first index from this one on whose element is not the default.
    pub(super) fn first_from(&self, index: usize) -> Option<usize> {
        (index / PAGE..self.pages.len()).find_map(|number| {
            let page = self.pages[number].as_ref()?;
            let start = index.saturating_sub(number * PAGE);
            let found = page[start..].iter().position(|item| *item != T::default());
            Some(number * PAGE + start + found?)
        })
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
        let (last, first) = (3 * PAGE, 3 * PAGE - 1);
        let until = [0, first - 1, first, last, 9 * PAGE].map(|index| words.last_until(index));
        assert_eq!(until, [None, None, Some(first), Some(last), Some(last)]);
        let from = [0, first, last, last + 1, 9 * PAGE].map(|index| words.first_from(index));
        assert_eq!(from, [Some(first), Some(first), Some(last), None, None]);
    }
}
