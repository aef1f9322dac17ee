//! Which kernel a row of a table was measured of.

use std::fmt;

/// A number format under one name, however tables write it: `bf16` also for the other formats of 16 bits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Format(String);

impl Format {
    /// The format of this name.
    pub fn of(name: &str) -> Self {
        Format(match name {
            "bfloat16" | "float16" | "fp16" | "half" => "bf16".to_owned(),
            other => other.to_ascii_lowercase(),
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A kernel of one GPU with everything that is fixed for a deployment; sizes that vary with the iteration are in its
/// [points](super::KernelTables::points).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kernel {
    /// A multiplication of a rows × columns matrix with some vectors, one a token: by their number.
    Gemm {
        /// Of the weights.
        format: Format,
        /// The table's `n`.
        rows: u64,
        /// The table's `k`.
        columns: u64,
    },
    /// Attention over whole prompts: by their number and the tokens of each.
    PrefillAttention(Heads),
    /// Attention of decoding sequences: by their number and the context of each.
    DecodeAttention(Heads),
    /// The experts of a layer: by tokens.
    Experts(Experts),
    /// A sum over GPUs: by elements of 16 bits.
    AllReduce {
        /// How many.
        gpus: u64,
        /// How it was made.
        way: Way,
    },
}

/// The heads of an attention kernel.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Heads {
    /// That ask.
    pub queries: u64,
    /// That are asked.
    pub keys: u64,
    /// Elements of a head.
    pub width: u64,
    /// Tokens that each token sees at most; 0: all before it.
    pub window: u64,
    /// Of the cache.
    pub cache: Format,
}

/// The experts of a layer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Experts {
    /// Of their weights.
    pub format: Format,
    /// Elements of the residual stream.
    pub hidden: u64,
    /// Elements inside an expert.
    pub inner: u64,
    /// That a token visits.
    pub active: u64,
    /// That there are.
    pub count: u64,
    /// GPUs that share every expert.
    pub tensor: u64,
    /// GPUs that share the experts whole.
    pub expert: u64,
    /// How evenly tokens chose experts.
    pub routing: String,
}

/// How a sum over GPUs was made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Way {
    /// The engine's own kernel within a CUDA graph.
    Graph,
    /// The engine's own kernel, launched by the host.
    Eager,
    /// NCCL.
    Nccl,
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kernel::Gemm { format, rows, columns } => write!(f, "GEMM n {rows}, k {columns} in {format}"),
            Kernel::PrefillAttention(heads) => write!(f, "context attention {heads}"),
            Kernel::DecodeAttention(heads) => write!(f, "generation attention {heads}"),
            Kernel::Experts(experts) => write!(
                f,
                "MoE {} of {} experts, {} × {} in {}, tp {}, ep {}",
                experts.active,
                experts.count,
                experts.hidden,
                experts.inner,
                experts.format,
                experts.tensor,
                experts.expert
            ),
            Kernel::AllReduce { gpus, .. } => write!(f, "all-reduce on {gpus} GPUs"),
        }
    }
}

impl fmt::Display for Heads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Heads { queries, keys, width, window, cache } = self;
        write!(f, "{queries}/{keys} heads of {width}, cache in {cache}")?;
        if *window > 0 { write!(f, ", window {window}") } else { Ok(()) }
    }
}
