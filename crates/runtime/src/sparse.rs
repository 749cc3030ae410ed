//! Sparse matrix-vector products with a fixed order of additions.

#[cfg(test)]
pub(crate) use weightware_analysis::row;
pub(crate) use weightware_analysis::{Entry, Row, row_of};

/// The length of vectors: every 16-bit index is in bounds, so no access needs a check.
pub(crate) const WIDTH: usize = 1 << 16;

/// A vector, of which only the first part is used.
pub(crate) type Vector = Box<[f64; WIDTH]>;

/// The zero vector.
pub(crate) fn zero_vector() -> Vector {
    match vec![0.0; WIDTH].into_boxed_slice().try_into() {
        Ok(vector) => vector,
        Err(_) => unreachable!("the vector was made with WIDTH zeros"),
    }
}

/// A row that can be multiplied.
trait Dot {
    /// The dot product: products added in ascending order of inputs, every operation rounded, never
    /// fused.
    ///
    /// A sum that starts at +0 is never -0, and adding a zero product would not change it. So the
    /// product equals the dense one bit for bit.
    fn dot(&self, x: &[f64; WIDTH]) -> f64;
}

/// A row of `N` weights. Separate arrays for weights and inputs take less memory.
#[derive(Debug)]
struct Short<const N: usize> {
    weights: [f64; N],
    inputs: [u16; N],
}

impl<const N: usize> From<[Entry; N]> for Short<N> {
    fn from(entries: [Entry; N]) -> Self {
        Self {
            weights: entries.map(|entry| entry.weight),
            // Vectors have 2^16 numbers.
            inputs: entries.map(|entry| entry.input as u16),
        }
    }
}

impl<const N: usize> Dot for Short<N> {
    #[inline(always)]
    fn dot(&self, x: &[f64; WIDTH]) -> f64 {
        let mut sum = 0.0;
        for (weight, &input) in self.weights.iter().zip(&self.inputs) {
            sum += weight * x[usize::from(input)];
        }
        sum
    }
}

impl Dot for Row {
    #[inline(always)]
    fn dot(&self, x: &[f64; WIDTH]) -> f64 {
        let mut sum = 0.0;
        for entry in self {
            // Vectors have 2^16 numbers.
            sum += entry.weight * x[usize::from(entry.input as u16)];
        }
        sum
    }
}

/// The destination of products: a slice, cut into the outputs of rows of one length.
trait Outputs: IntoIterator + Sized {
    fn cut(self, at: usize) -> (Self, Self);
}

impl<T> Outputs for &[T] {
    #[inline(always)]
    fn cut(self, at: usize) -> (Self, Self) {
        self.split_at(at)
    }
}

impl<T> Outputs for &mut [T] {
    #[inline(always)]
    fn cut(self, at: usize) -> (Self, Self) {
        self.split_at_mut(at)
    }
}

/// A sparse matrix whose rows are sorted by length, so that the loops over short rows are unrolled.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    ones: Vec<Short<1>>,
    twos: Vec<Short<2>>,
    threes: Vec<Short<3>>,
    fours: Vec<Short<4>>,
    fives: Vec<Short<5>>,
    long: Vec<Row>,
    /// The number of rows without entries, which come last.
    empty: usize,
}

impl Rows {
    /// The matrix of some rows, and for each row the place of its product in the output.
    pub(crate) fn new(rows: &[Row]) -> (Self, Vec<usize>) {
        // Shorter rows first, empty ones last.
        let class = |row: &Row| if row.is_empty() { 7 } else { row.len().min(6) };
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|&i| class(&rows[i]));
        let mut places = vec![0; rows.len()];
        let mut all = Self::default();
        for (place, &i) in order.iter().enumerate() {
            places[i] = place;
            match rows[i][..] {
                [] => all.empty += 1,
                [a] => all.ones.push([a].into()),
                [a, b] => all.twos.push([a, b].into()),
                [a, b, c] => all.threes.push([a, b, c].into()),
                [a, b, c, d] => all.fours.push([a, b, c, d].into()),
                [a, b, c, d, e] => all.fives.push([a, b, c, d, e].into()),
                ref long => all.long.push(long.to_vec()),
            }
        }
        (all, places)
    }

    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        let short = self.ones.len() + self.twos.len() + self.threes.len();
        short + self.fours.len() + self.fives.len() + self.long.len() + self.empty
    }

    /// Calls `take` with every row's output and product with `x`.
    #[inline(always)]
    fn each<O: Outputs>(&self, x: &[f64; WIDTH], out: O, mut take: impl FnMut(O::Item, f64)) {
        /// Multiplies the rows of one length, and returns the remaining outputs.
        #[inline(always)]
        fn of<O: Outputs, R: Dot>(
            rows: &[R],
            x: &[f64; WIDTH],
            out: O,
            take: &mut impl FnMut(O::Item, f64),
        ) -> O {
            let (now, later) = out.cut(rows.len());
            for (row, out) in rows.iter().zip(now) {
                take(out, row.dot(x));
            }
            later
        }
        let out = of(&self.ones, x, out, &mut take);
        let out = of(&self.twos, x, out, &mut take);
        let out = of(&self.threes, x, out, &mut take);
        let out = of(&self.fours, x, out, &mut take);
        let out = of(&self.fives, x, out, &mut take);
        let out = of(&self.long, x, out, &mut take);
        out.into_iter().for_each(|out| take(out, 0.0));
    }

    /// Writes the products of all rows with `x` to `out`, which has an entry for each row.
    #[inline]
    pub(crate) fn multiply(&self, x: &[f64; WIDTH], out: &mut [f64]) {
        self.each(x, out, |out, product| *out = product);
    }
}

/// Rows whose products are added to slots of the residual stream.
#[derive(Debug)]
pub(crate) struct Update {
    rows: Rows,
    slots: Vec<u16>,
}

impl Update {
    /// One row per slot; rows without entries are left out.
    pub(crate) fn new(rows: Vec<Row>) -> Self {
        let (slots, rows): (Vec<u16>, Vec<Row>) = (0..)
            .zip(rows)
            .filter(|(_, row): &(u16, Row)| !row.is_empty())
            .unzip();
        let (rows, places) = Rows::new(&rows);
        let mut sorted = slots.clone();
        for (slot, place) in slots.into_iter().zip(places) {
            sorted[place] = slot;
        }
        Self {
            rows,
            slots: sorted,
        }
    }

    /// The slots that are written to.
    pub(crate) fn slots(&self) -> &[u16] {
        &self.slots
    }

    /// Adds the products of the rows with `inputs` to the stream.
    #[inline]
    pub(crate) fn apply(&self, inputs: &[f64; WIDTH], x: &mut [f64; WIDTH]) {
        self.rows.each(inputs, &self.slots[..], |&slot, product| {
            x[usize::from(slot)] += product;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_any_length_have_their_place() {
        let x = |i: usize| (i * i % 17) as f64 - 3.0;
        let mut vector = zero_vector();
        for i in 0..40 {
            vector[i] = x(i);
        }
        let lengths = [5, 0, 1, 9, 3, 2, 1, 0, 4, 6, 2];
        let rows: Vec<Row> = lengths
            .iter()
            .enumerate()
            .map(|(r, &len)| {
                row((0..40).map(|i| {
                    if i % 7 == r % 7 && i < 7 * len {
                        2.0
                    } else {
                        0.0
                    }
                }))
            })
            .collect();
        let expected: Vec<f64> = rows
            .iter()
            .map(|row| row.iter().map(|e| e.weight * x(e.input as usize)).sum())
            .collect();
        let (matrix, places) = Rows::new(&rows);
        assert_eq!(matrix.len(), rows.len());
        let mut out = vec![7.0; rows.len()];
        matrix.multiply(&vector, &mut out);
        assert!(places.iter().zip(&expected).all(|(&p, &e)| out[p] == e));

        let update = Update::new(rows);
        let mut target = zero_vector();
        update.apply(&vector, &mut target);
        assert_eq!(target[..expected.len()], expected[..]);
    }
}
