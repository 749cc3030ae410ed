//! The forward pass of a block of tokens, of one sequence or of several.

use weightware_model::TokenId;

use super::cache::{Buffers, HeadCache};
use super::error::Kind;
use super::network::{Layer, Network, Normalise, activate};
use super::real::Real;
use super::report::HeadReport;

/// A token at the end of a sequence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// The index of the sequence.
    pub(super) sequence: usize,
    pub(super) token: TokenId,
    pub(super) position: usize,
    /// Whether the logits after it are wanted.
    pub(super) wanted: bool,
}

/// The caches of a sequence, by layer and head.
pub(super) type Caches<R> = Vec<HeadCache<R>>;

/// Buffers of a forward pass, `[rows, ..]` each.
#[derive(Debug, Default)]
pub(super) struct Pass<R> {
    /// The residual stream.
    x: Vec<R>,
    normed: Vec<R>,
    /// Cosines and sines of rotary positions, equal in all layers.
    waves: Vec<[R; 2]>,
    /// Queries, keys and values; or gates and values of neurons.
    inner: Vec<R>,
    /// The outputs of heads or of neurons.
    outer: Vec<R>,
    delta: Vec<R>,
    buffers: Buffers<R>,
}

impl<R: Real> Pass<R> {
    /// Runs rows through all layers, and appends the logits of those that want them.
    ///
    /// Rows of one sequence are in the order of their positions. Each row appends its keys before
    /// it is answered, so that later rows of the block are not among its keys.
    pub(super) fn run(
        &mut self,
        network: &Network<R>,
        rows: &[Row],
        caches: &mut [Option<Caches<R>>],
        reports: &mut [HeadReport],
        logits: &mut Vec<f64>,
    ) -> Result<(), Kind> {
        let d = network.d_model;
        self.x.clear();
        self.waves.clear();
        for row in rows {
            let embedding = &network.embedding[row.token.0 as usize * d..][..d];
            self.x.extend_from_slice(embedding);
            let at = self.x.len() - d;
            network.added.add(row.position, &mut self.x[at..]);
            if let Some(turns) = &network.turns {
                turns.waves(row.position, &mut self.waves);
            }
        }
        for (number, layer) in network.layers.iter().enumerate() {
            let own = number * network.heads..(number + 1) * network.heads;
            self.attention(network, layer, rows, caches, &mut reports[own])?;
            self.feed_forward(network, layer);
            if !self.x.iter().all(|x| x.wide().is_finite()) {
                return Err(Kind::NotFinite { layer: number });
            }
        }
        self.unembed(network, rows, logits);
        Ok(())
    }

    fn attention(
        &mut self,
        network: &Network<R>,
        layer: &Layer<R>,
        rows: &[Row],
        caches: &mut [Option<Caches<R>>],
        reports: &mut [HeadReport],
    ) -> Result<(), Kind> {
        let (heads, dim) = (network.heads, network.head_dim);
        let width = heads * dim;
        let input = normalised(layer.norm1.as_ref(), &self.x, &mut self.normed);
        layer.in_proj.apply(input, &mut self.inner);
        self.outer.clear();
        self.outer.resize(rows.len() * width, R::ZERO);
        let qkv = self.inner.chunks_exact_mut(3 * width);
        let outer = self.outer.chunks_exact_mut(width);
        for (number, ((row, qkv), out)) in rows.iter().zip(qkv).zip(outer).enumerate() {
            if let Some(turns) = &network.turns {
                turns.turn(&self.waves[number * turns.len()..], qkv);
            }
            let caches = caches[row.sequence].as_mut().ok_or(Kind::NoSequence)?;
            let (queries, rest) = qkv.split_at_mut(width);
            let (keys, values) = rest.split_at(width);
            for (head, report) in reports.iter_mut().enumerate() {
                let own = head * dim..(head + 1) * dim;
                let query = &mut queries[own.clone()];
                for q in query.iter_mut() {
                    *q *= layer.scales[head];
                }
                let number = report.layer * heads + head;
                let cache = &mut caches[number];
                let pushed = cache.push(&keys[own.clone()], &values[own.clone()]);
                let attended = pushed
                    .and_then(|()| cache.attend(query, &mut self.buffers, report, &mut out[own]));
                attended.map_err(|source| network.at_head(number, source))?;
            }
            if network.head_product {
                for pair in out.chunks_exact_mut(2 * dim) {
                    let (a, b) = pair.split_at_mut(dim);
                    for (a, b) in a.iter().zip(b) {
                        *b *= *a;
                    }
                }
            }
        }
        layer.out_proj.apply(&self.outer, &mut self.delta);
        add(&mut self.x, &self.delta);
        Ok(())
    }

    fn feed_forward(&mut self, network: &Network<R>, layer: &Layer<R>) {
        let input = normalised(layer.norm2.as_ref(), &self.x, &mut self.normed);
        layer.ff_in.apply(input, &mut self.inner);
        let width = layer.ff_in.outputs();
        activate(network.activation, width, &self.inner, &mut self.outer);
        layer.ff_out.apply(&self.outer, &mut self.delta);
        add(&mut self.x, &self.delta);
    }

    fn unembed(&mut self, network: &Network<R>, rows: &[Row], logits: &mut Vec<f64>) {
        let d = network.d_model;
        self.outer.clear();
        for (row, x) in rows.iter().zip(self.x.chunks_exact(d)) {
            if row.wanted {
                self.outer.extend_from_slice(x);
            }
        }
        let input = normalised(network.norm.as_ref(), &self.outer, &mut self.normed);
        network.unembedding.apply(input, &mut self.delta);
        logits.extend(self.delta.iter().map(|logit| logit.wide()));
    }
}

fn normalised<'x, R: Real>(
    norm: Option<&Normalise<R>>,
    x: &'x [R],
    normed: &'x mut Vec<R>,
) -> &'x [R] {
    match norm {
        None => x,
        Some(norm) => {
            norm.apply(x, normed);
            normed
        }
    }
}

fn add<R: Real>(x: &mut [R], delta: &[R]) {
    for (x, &delta) in x.iter_mut().zip(delta) {
        *x += delta;
    }
}
