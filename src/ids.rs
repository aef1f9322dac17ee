//! Names of the things a scenario holds. Every id counts up and is never reused, so an id in a log
//! always means the same thing.

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
