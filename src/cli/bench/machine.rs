//! What is known about the machine and this process. Linux tells; elsewhere there are gaps.

use std::fs;
use std::thread;

use serde::Serialize;

/// The machine and the build that measured.
#[derive(Debug, Serialize)]
pub struct Machine {
    processors: usize,
    model: Option<String>,
    system: &'static str,
    architecture: &'static str,
    version: &'static str,
    build: &'static str,
}

impl Machine {
    pub fn here() -> Self {
        Machine {
            processors: thread::available_parallelism().map_or(1, usize::from),
            model: field("/proc/cpuinfo", "model name"),
            system: std::env::consts::OS,
            architecture: std::env::consts::ARCH,
            version: env!("CARGO_PKG_VERSION"),
            build: if cfg!(debug_assertions) { "debug" } else { "release" },
        }
    }

    /// One line.
    pub fn describe(&self) -> String {
        let Machine { processors, system, architecture, version, build, .. } = self;
        let model = self.model.as_ref().map(|model| format!(", {model}")).unwrap_or_default();
        format!(
            "ebbflow {version} ({build} build) on {processors} processors{model}, {system} {architecture}"
        )
    }
}

/// The most memory this process has had resident.
pub fn peak_memory_bytes() -> Option<u64> {
    let text = field("/proc/self/status", "VmHWM")?;
    let kibibytes: u64 = text.strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The first `name: value` of a file of such lines.
fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let (_, value) =
        text.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_some_megabytes_where_it_is_known() {
        if cfg!(target_os = "linux") {
            assert!((1 << 20..1 << 40).contains(&peak_memory_bytes().unwrap()));
        }
    }

    #[test]
    fn what_a_machine_does_not_tell_is_left_out() {
        assert_eq!(field("/no/such/file", "VmHWM"), None);
        assert!(Machine::here().describe().contains(" processors"));
    }
}
