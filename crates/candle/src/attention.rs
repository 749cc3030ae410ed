//! Textbook causal softmax attention, for a block of query rows at a time.

use candle_core::{Device, Result, Tensor};

/// Query rows whose scores are in memory at once: at T = 5000 one head's matrix of scores is 2.5
/// MB.
const BLOCK: usize = 64;

/// The queries, keys and values of one head, `[T, d_head]` each; queries are scaled.
pub(crate) struct Head {
    pub(crate) q: Tensor,
    pub(crate) k: Tensor,
    pub(crate) v: Tensor,
}

/// The heads of `qkv`, `[T, 3 width]`: thirds for queries, keys and values. Each head has
/// neighbouring columns of each third. Queries are not scaled yet.
pub(crate) fn split(qkv: &Tensor, heads: usize) -> Result<Vec<Head>> {
    let width = qkv.dim(1)? / 3;
    let d_head = width / heads;
    let column = |third: usize, head: usize| {
        let from = third * width + head * d_head;
        qkv.narrow(1, from, d_head)?.contiguous()
    };
    let head = |head| {
        Ok(Head {
            q: column(0, head)?,
            k: column(1, head)?,
            v: column(2, head)?,
        })
    };
    (0..heads).map(head).collect()
}

/// `softmax(q k^T / sqrt(d_head) + mask) v` for all heads: `[T, d_model]`.
pub(crate) fn causal(qkv: &Tensor, heads: usize) -> Result<Tensor> {
    let mut inputs = split(qkv, heads)?;
    for head in &mut inputs {
        let d_head = head.q.dim(1)?;
        head.q = (&head.q * (1.0 / (d_head as f64).sqrt()))?;
    }
    softmax(&inputs)
}

/// `softmax(q k^T + mask) v` for each head, side by side: `[T, heads * d_head]`. Keys after a
/// block's last row are left out: the mask would give them weight zero.
pub(crate) fn softmax(heads: &[Head]) -> Result<Tensor> {
    let Some(first) = heads.first() else {
        candle_core::bail!("no heads");
    };
    let (tokens, dtype) = (first.q.dim(0)?, first.q.dtype());
    let transposed = heads.iter().map(|head| head.k.t());
    let keys = transposed.collect::<Result<Vec<_>>>()?;
    let mut blocks = Vec::new();
    for start in (0..tokens).step_by(BLOCK) {
        let end = tokens.min(start + BLOCK);
        let mask = mask(start, end)?.to_dtype(dtype)?;
        let one_head = |(head, k): (&Head, &Tensor)| {
            attend(
                &head.q.narrow(0, start, end - start)?,
                &k.narrow(1, 0, end)?,
                &head.v.narrow(0, 0, end)?,
                &mask,
            )
        };
        let heads = heads.iter().zip(&keys).map(one_head);
        blocks.push(Tensor::cat(&heads.collect::<Result<Vec<_>>>()?, 1)?);
    }
    Tensor::cat(&blocks, 0)
}

/// Rows `start..end` of the causal mask, columns `0..end`: minus infinity above the diagonal, zero
/// elsewhere.
fn mask(start: usize, end: usize) -> Result<Tensor> {
    let entries = (start..end)
        .flat_map(|row| (0..end).map(move |key| if key > row { f64::NEG_INFINITY } else { 0.0 }));
    Tensor::from_vec(entries.collect(), (end - start, end), &Device::Cpu)
}

/// One head: `q` is `[rows, d_head]` and scaled, `k` is `[d_head, keys]`, `v` is `[keys, d_head]`.
fn attend(q: &Tensor, k: &Tensor, v: &Tensor, mask: &Tensor) -> Result<Tensor> {
    let scores = (q.matmul(k)? + mask)?;
    let greatest = scores.max_keepdim(1)?;
    let exponentials = scores.broadcast_sub(&greatest)?.exp()?;
    let total = exponentials.sum_keepdim(1)?;
    exponentials.broadcast_div(&total)?.matmul(v)
}
