//! The operators of an iteration.

use std::ops::{Add, AddAssign, Mul};

/// What an iteration does on the GPUs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Operator {
    /// Queries, keys, values and the projection after attention.
    Projections,
    /// Feed-forward blocks every token goes through, shared experts included.
    FeedForward,
    /// Routers and the experts tokens choose.
    Experts,
    /// The projection to the vocabulary.
    LmHead,
    /// Attention of prompts.
    PrefillAttention,
    /// Attention of decoding sequences.
    DecodeAttention,
    /// Norms, rotary embedding, activations, residuals.
    Elementwise,
    /// Sums over tensor-parallel GPUs.
    AllReduce,
    /// Activations from one pipeline stage to the next.
    SendReceive,
}

impl Operator {
    /// All of them, in the order of a layer.
    pub const ALL: [Operator; 9] = [
        Operator::Projections,
        Operator::FeedForward,
        Operator::Experts,
        Operator::LmHead,
        Operator::PrefillAttention,
        Operator::DecodeAttention,
        Operator::Elementwise,
        Operator::AllReduce,
        Operator::SendReceive,
    ];

    /// As it stands in tables and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Operator::Projections => "projections",
            Operator::FeedForward => "feed_forward",
            Operator::Experts => "experts",
            Operator::LmHead => "lm_head",
            Operator::PrefillAttention => "prefill_attention",
            Operator::DecodeAttention => "decode_attention",
            Operator::Elementwise => "elementwise",
            Operator::AllReduce => "all_reduce",
            Operator::SendReceive => "send_receive",
        }
    }
}

/// Seconds of each operator.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct OperatorTimes([f64; Operator::ALL.len()]);

impl OperatorTimes {
    /// Seconds of one operator.
    pub fn get(&self, operator: Operator) -> f64 {
        self.0[operator as usize]
    }

    /// Adds seconds to one operator.
    pub fn charge(&mut self, operator: Operator, seconds: f64) {
        self.0[operator as usize] += seconds;
    }

    /// Seconds of all, one after the other.
    pub fn total_s(&self) -> f64 {
        self.0.iter().sum()
    }
}

impl Add for OperatorTimes {
    type Output = Self;
    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl AddAssign for OperatorTimes {
    fn add_assign(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(mine, others)| *mine += others);
    }
}

impl Mul<f64> for OperatorTimes {
    type Output = Self;
    fn mul(mut self, factor: f64) -> Self {
        self.0.iter_mut().for_each(|mine| *mine *= factor);
        self
    }
}
