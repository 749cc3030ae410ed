//! Textbook causal softmax attention, for a block of query rows at a time.

use candle_core::{Device, Result, Tensor};

/// Query rows whose scores are in memory at once: at T = 5000 one head's matrix of scores is 2.5
/// MB.
const BLOCK: usize = 64;

/// `softmax(q k^T / sqrt(d_head) + mask) v` for all heads.
///
/// `qkv` is `[T, 3 d_model]`, thirds for queries, keys and values. Each head has neighbouring
/// columns of each third. The result is `[T, d_model]`. Keys after a block's last row are left out:
/// the mask would give them weight zero.
pub(crate) fn causal(qkv: &Tensor, heads: usize) -> Result<Tensor> {
    let (tokens, width) = qkv.dims2()?;
    let (d_model, d_head) = (width / 3, width / 3 / heads);
    let column = |third: usize, head: usize| {
        qkv.narrow(1, third * d_model + head * d_head, d_head)?
            .contiguous()
    };
    let scale = 1.0 / (d_head as f64).sqrt();
    let inputs = (0..heads)
        .map(|head| {
            Ok((
                (column(0, head)? * scale)?,
                column(1, head)?.t()?,
                column(2, head)?,
            ))
        })
        .collect::<Result<Vec<_>>>()?;

    let mut blocks = Vec::new();
    for start in (0..tokens).step_by(BLOCK) {
        let end = tokens.min(start + BLOCK);
        let mask = mask(start, end)?;
        let one_head = |(q, k, v): &(Tensor, Tensor, Tensor)| {
            attend(
                &q.narrow(0, start, end - start)?,
                &k.narrow(1, 0, end)?,
                &v.narrow(0, 0, end)?,
                &mask,
            )
        };
        blocks.push(Tensor::cat(
            &inputs.iter().map(one_head).collect::<Result<Vec<_>>>()?,
            1,
        )?);
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
