//! Names of the things a scenario holds. Every id counts up and is never reused, so an id in a log
//! always means the same thing.

use std::hash::{Hash, Hasher};
use std::sync::{PoisonError, RwLock};

use serde::Serialize;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// An application: one model, one scheduler, its instances. The number given in the scenario.
    ApplicationId(u32)
);
id!(
    /// An instance, counted per application from 0.
    InstanceId(u32)
);
id!(
    /// A server, counted over the whole cluster from 0.
    ServerId(u32)
);
id!(
    /// A request, as its trace names it.
    RequestId(u64)
);
id!(
    /// A conversation of several requests, as its trace names it.
    SessionId(u64)
);

/// The name of a GPU, e.g. `h100-80gb`, as a number: journals carry it, and nothing is allocated for it.
///
/// It is left out of digests. It follows from the instance beside it, and its number depends on what the
/// process has named before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct GpuName(u32);

/// Every name that has a number, by number; there are as many as GPU names in the scenarios of a process.
static GPU_NAMES: RwLock<Vec<&'static str>> = RwLock::new(Vec::new());

impl GpuName {
    /// The number of a name; a new one if it has none.
    pub fn of(name: &str) -> Self {
        let mut names = GPU_NAMES.write().unwrap_or_else(PoisonError::into_inner);
        let place = names.iter().position(|known| *known == name).unwrap_or_else(|| {
            names.push(String::from(name).leak());
            names.len() - 1
        });
        GpuName(u32::try_from(place).expect("nobody has four billion kinds of GPU"))
    }

    /// The name.
    pub fn name(self) -> &'static str {
        GPU_NAMES.read().unwrap_or_else(PoisonError::into_inner)[self.0 as usize]
    }
}

impl Hash for GpuName {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl std::fmt::Debug for GpuName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.name().fmt(f)
    }
}

/// Which part of the work an instance is meant for; `prompt` and `token` in configurations and logs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tag {
    /// Prefill: runs the prompt and produces the first output token.
    Prompt,
    /// Decode: produces the remaining output tokens.
    Token,
    /// Either.
    Mixed,
}

impl Tag {
    /// All tags, in the order reports list them.
    pub const ALL: [Tag; 3] = [Tag::Prompt, Tag::Token, Tag::Mixed];

    /// The word used in configurations and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Tag::Prompt => "prompt",
            Tag::Token => "token",
            Tag::Mixed => "mixed",
        }
    }

    /// Reads the word used in configurations.
    pub fn parse(word: &str) -> Option<Tag> {
        Tag::ALL.into_iter().find(|tag| tag.name() == word)
    }
}

impl std::fmt::Display for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_name_is_one_number_and_reads_back() {
        let (h100, a100) = (GpuName::of("h100-80gb"), GpuName::of("a100-80gb"));
        assert_eq!((h100.name(), a100.name()), ("h100-80gb", "a100-80gb"));
        assert_eq!(h100, GpuName::of("h100-80gb"));
        assert_ne!(h100, a100);
    }
}
