//! The scenarios that come with the program.

/// A scenario to start from.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// Its file under `configs/`, without ending.
    pub name: &'static str,
    /// What stands in it.
    pub text: &'static str,
}

/// What `ebbflow init` writes unless told otherwise.
pub const STARTER: Example = Example { name: "starter", text: include_str!("starter.yaml") };

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        [$(Example { name: $name, text: include_str!(concat!("../../../configs/", $name, ".yaml")) }),*]
    };
}

const EXAMPLES: [Example; 21] = shipped![
    "default",
    "example",
    "concurrent-scale-up",
    "concurrent-drain",
    "stepwise-shared-server",
    "two-models",
    "burst-hpa",
    "burst-kpa",
    "burst-token-aware",
    "prefill-decode",
    "disaggregated-links",
    "overload",
    "chat-sessions",
    "closed-loop",
    "priority-classes",
    "message-throughput",
    "autoscalers/cold-start-sla",
    "autoscalers/heteroscale-flapping",
    "autoscalers/hpa-gpu-decode",
    "autoscalers/hpa-reluctance",
    "autoscalers/kpa-panic",
];

/// The example of this name, with or without its folder; or which there are.
pub fn find(name: &str) -> Result<Example, String> {
    let is_named = |example: &&Example| example.name == name || example.name.ends_with(&format!("/{name}"));
    EXAMPLES.iter().find(is_named).copied().ok_or_else(|| {
        let likeness = |example: &&Example| strsim::normalized_damerau_levenshtein(name, example.name);
        let nearest = EXAMPLES.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let nearest = nearest.filter(|example| likeness(example) > 0.5);
        let hint = nearest.map_or(String::new(), |example| format!(" did you mean `{}`?", example.name));
        format!("there is no example `{name}`;{hint} `ebbflow init --list` lists them all")
    })
}

/// Names and headlines of all.
pub fn list() -> String {
    let widest = EXAMPLES.iter().map(|example| example.name.len()).max().unwrap_or(0);
    let line = |example: &Example| format!("{:widest$}  {}\n", example.name, example.headline());
    EXAMPLES.iter().map(line).collect()
}

impl Example {
    /// The first sentence of its head, which says what it is.
    fn headline(&self) -> &'static str {
        let lines = self.text.lines().filter_map(|line| line.strip_prefix("# "));
        lines.into_iter().find(|line| !line.starts_with("yaml-language-server")).unwrap_or_default()
    }
}
