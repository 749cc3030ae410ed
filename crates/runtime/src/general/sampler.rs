//! Drawing the next token.

use oorandom::Rand64;
use weightware_model::TokenId;

/// Draws tokens from logits, reproducibly.
///
/// With temperature `T > 0` the probability of a token is proportional to `e^(logit / T)` among the
/// tokens that remain: first the `top_k` greatest logits, and of these the fewest whose
/// probabilities sum to `top_p` or more. The lower id of equal logits comes first. `T = 0` is
/// greedy.
///
/// Equal seeds give equal tokens on all platforms that compute equal logits: the generator is
/// PCG with 128 bits of state.
///
/// ```
/// use weightware_runtime::general::Sampler;
///
/// let logits = [1.0, 3.0, 2.0, 3.0];
/// assert_eq!(Sampler::greedy().draw(&logits).0, 1);
/// let sampler = Sampler::new(1.0, 7).with_top_k(2);
/// assert_eq!(sampler.probabilities(&logits), [0.0, 0.5, 0.0, 0.5]);
/// ```
#[derive(Debug, Clone)]
pub struct Sampler {
    temperature: f64,
    top_k: Option<usize>,
    top_p: f64,
    random: Rand64,
}

impl Sampler {
    /// The greatest logit, the lowest id of equals.
    #[must_use]
    pub fn greedy() -> Self {
        Self::new(0.0, 0)
    }

    /// Samples at a temperature, 0 or more.
    ///
    /// # Panics
    /// If the temperature is negative or not finite.
    #[must_use]
    pub fn new(temperature: f64, seed: u64) -> Self {
        assert!(
            temperature >= 0.0 && temperature.is_finite(),
            "temperature {temperature}"
        );
        Self {
            temperature,
            top_k: None,
            top_p: 1.0,
            random: Rand64::new(u128::from(seed)),
        }
    }

    /// Restricts the choice to the `k` greatest logits.
    ///
    /// # Panics
    /// If `k` is 0.
    #[must_use]
    pub fn with_top_k(mut self, k: usize) -> Self {
        assert!(k > 0, "no token is left");
        self.top_k = Some(k);
        self
    }

    /// Restricts the choice to the fewest tokens whose probabilities sum to `p` or more.
    ///
    /// # Panics
    /// If `p` is not above 0 and at most 1.
    #[must_use]
    pub fn with_top_p(mut self, p: f64) -> Self {
        assert!(p > 0.0 && p <= 1.0, "top_p {p}");
        self.top_p = p;
        self
    }

    /// Whether it draws the greatest logit always.
    #[must_use]
    pub fn is_greedy(&self) -> bool {
        self.temperature == 0.0
    }

    /// The probability of each token. `O(vocab log vocab)`.
    ///
    /// # Panics
    /// If there are no logits.
    #[must_use]
    pub fn probabilities(&self, logits: &[f64]) -> Vec<f64> {
        let mut probabilities = vec![0.0; logits.len()];
        if self.is_greedy() {
            probabilities[greatest(logits)] = 1.0;
            return probabilities;
        }
        let best = logits[greatest(logits)];
        for (p, logit) in probabilities.iter_mut().zip(logits) {
            *p = ((logit - best) / self.temperature).exp();
        }
        let keeps_all = self.top_k.is_none_or(|k| k >= logits.len()) && self.top_p == 1.0;
        if !keeps_all {
            self.restrict(&mut probabilities, logits);
        }
        let sum: f64 = probabilities.iter().sum();
        for p in &mut probabilities {
            *p /= sum;
        }
        probabilities
    }

    /// Sets the weights of tokens that are not among the best to 0.
    fn restrict(&self, weights: &mut [f64], logits: &[f64]) {
        let mut order: Vec<usize> = (0..logits.len()).collect();
        // The sort is stable, so that the lower id of equals comes first.
        order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
        let most = self.top_k.unwrap_or(order.len()).min(order.len());
        let total: f64 = order[..most].iter().map(|&token| weights[token]).sum();
        let mut sum = 0.0;
        let enough = order[..most].iter().position(|&token| {
            sum += weights[token];
            sum >= self.top_p * total
        });
        let kept = enough.map_or(most, |last| last + 1);
        for &token in &order[kept..] {
            weights[token] = 0.0;
        }
    }

    /// Draws a token.
    ///
    /// # Panics
    /// If there are no logits.
    pub fn draw(&mut self, logits: &[f64]) -> TokenId {
        if self.is_greedy() {
            return TokenId(greatest(logits) as u32);
        }
        let probabilities = self.probabilities(logits);
        self.pick(&probabilities)
    }

    /// Draws a token by weights that need not sum to 1.
    pub(super) fn pick(&mut self, weights: &[f64]) -> TokenId {
        let mut left = self.uniform() * weights.iter().sum::<f64>();
        let mut last = 0;
        for (token, &weight) in weights.iter().enumerate() {
            if weight > 0.0 {
                last = token;
                if left < weight {
                    break;
                }
                left -= weight;
            }
        }
        TokenId(last as u32)
    }

    /// A number from 0 up to but not including 1.
    pub(super) fn uniform(&mut self) -> f64 {
        self.random.rand_float()
    }
}

/// The index of the greatest number, the first of equals.
fn greatest(logits: &[f64]) -> usize {
    assert!(!logits.is_empty(), "no logits");
    let mut best = 0;
    for (token, &logit) in logits.iter().enumerate() {
        if logit > logits[best] {
            best = token;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restrictions_keep_the_best() {
        let logits: Vec<f64> = [0.1, 0.2, 0.3, 0.4].map(f64::ln).to_vec();
        let close = |is: Vec<f64>, must: [f64; 4]| {
            let near = is
                .iter()
                .zip(must)
                .all(|(is, must)| (is - must).abs() < 1e-12);
            assert!(near, "{is:?} {must:?}");
        };
        close(
            Sampler::new(1.0, 0).probabilities(&logits),
            [0.1, 0.2, 0.3, 0.4],
        );
        let top_k = Sampler::new(1.0, 0).with_top_k(3);
        close(
            top_k.probabilities(&logits),
            [0.0, 2.0 / 9.0, 3.0 / 9.0, 4.0 / 9.0],
        );
        let top_p = Sampler::new(1.0, 0).with_top_p(0.6);
        close(
            top_p.probabilities(&logits),
            [0.0, 0.0, 3.0 / 7.0, 4.0 / 7.0],
        );
        close(
            Sampler::greedy().probabilities(&logits),
            [0.0, 0.0, 0.0, 1.0],
        );
        // The square of each weight.
        close(
            Sampler::new(0.5, 0).probabilities(&logits),
            [1.0 / 30.0, 4.0 / 30.0, 9.0 / 30.0, 16.0 / 30.0],
        );
    }

    #[test]
    fn draws_follow_the_probabilities() {
        let logits: Vec<f64> = [0.1, 0.2, 0.3, 0.4].map(f64::ln).to_vec();
        let mut sampler = Sampler::new(1.0, 42);
        let mut counts = [0.0; 4];
        for _ in 0..100_000 {
            counts[sampler.draw(&logits).0 as usize] += 1.0;
        }
        let expected = [1e4, 2e4, 3e4, 4e4];
        let terms = counts.iter().zip(expected);
        let chi_squared: f64 = terms
            .map(|(is, must)| (is - must) * (is - must) / must)
            .sum();
        // The quantile 0.9999 for three degrees of freedom is 21.1.
        assert!(chi_squared < 21.1, "{chi_squared}");
        let again = Sampler::new(1.0, 42).draw(&logits);
        assert_eq!(again, Sampler::new(1.0, 42).draw(&logits));
    }
}
