//! The matrices of a layer: what an iteration multiplies with and what the parameters are.

use super::{Attention, Latent, Model};

/// A weight matrix: every token's vector of `columns` elements becomes one of `rows`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Matrix {
    /// Elements that come out.
    pub rows: f64,
    /// Elements that go in.
    pub columns: f64,
}

impl Matrix {
    const fn new(rows: f64, columns: f64) -> Self {
        Matrix { rows, columns }
    }

    /// Elements.
    pub fn size(self) -> f64 {
        self.rows * self.columns
    }
}

impl Model {
    /// Projections around the attention of one layer, as one of `ranks` tensor-parallel GPUs holds them.
    /// A key or value head is never split: with more ranks than heads, several hold the same.
    pub fn attention_matrices(&self, ranks: u32) -> Vec<Matrix> {
        let (hidden, ranks_f) = (f64::from(self.hidden_size), f64::from(ranks));
        let heads = f64::from(self.heads) / ranks_f;
        match self.attention {
            Attention::Grouped { kv_heads, .. } => {
                let width = f64::from(self.head_dim);
                let kv = (f64::from(kv_heads) / ranks_f).max(1.0);
                vec![Matrix::new((heads + 2.0 * kv) * width, hidden), Matrix::new(hidden, heads * width)]
            }
            Attention::Latent(latent) => latent_matrices(latent, hidden, heads),
        }
    }

    /// The feed-forward block of one dense layer on one of `ranks` GPUs.
    pub fn dense_matrices(&self, ranks: u32) -> Vec<Matrix> {
        self.block(f64::from(self.ffn_size), ranks)
    }

    /// The expert that every token visits, on one of `ranks` GPUs; empty if there is none.
    pub fn shared_expert_matrices(&self, ranks: u32) -> Vec<Matrix> {
        match self.experts {
            Some(experts) if experts.shared_size > 0 => self.block(f64::from(experts.shared_size), ranks),
            _ => Vec::new(),
        }
    }

    /// Elements of one expert.
    pub fn expert_size(&self) -> f64 {
        let matrices = if self.gated { 3.0 } else { 2.0 };
        self.experts.map_or(0.0, |experts| matrices * f64::from(self.hidden_size) * f64::from(experts.size))
    }

    /// Embedding table, and as large the output projection.
    pub fn embedding(&self) -> Matrix {
        Matrix::new(f64::from(self.vocabulary), f64::from(self.hidden_size))
    }

    fn block(&self, inner: f64, ranks: u32) -> Vec<Matrix> {
        let hidden = f64::from(self.hidden_size);
        let inner = inner / f64::from(ranks);
        let up = if self.gated { 2.0 * inner } else { inner };
        vec![Matrix::new(up, hidden), Matrix::new(hidden, inner)]
    }
}

fn latent_matrices(latent: Latent, hidden: f64, heads: f64) -> Vec<Matrix> {
    let [kv_rank, rope, query_rank, nope, value] =
        [latent.kv_rank, latent.rope_dim, latent.query_rank, latent.nope_dim, latent.value_dim]
            .map(f64::from);
    let query_from = if query_rank > 0.0 { query_rank } else { hidden };
    vec![
        Matrix::new(query_rank + kv_rank + rope, hidden),
        Matrix::new(heads * (nope + rope), query_from),
        Matrix::new(heads * (nope + value), kv_rank),
        Matrix::new(hidden, heads * value),
    ]
}
