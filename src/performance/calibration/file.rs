//! Calibrations as YAML.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Calibration, CalibrationError, Fitted, Provenance};
use crate::diagnosis::Excerpt;
use crate::models::Precision;
use crate::performance::roofline::{Backend, Parallelism};

const COMMENT: &str = "\
# Constants fitted to measured requests by `ebbflow calibrate`. A scenario includes this file:
#   performance_model: {roofline: {calibration: <this file>}}
";

/// The file, word for word.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sheet {
    engine: String,
    gpu: String,
    model: String,
    #[serde(default)]
    expert_layers: u32,
    precision: String,
    #[serde(default = "one")]
    tensor_parallel: u32,
    #[serde(default = "one")]
    pipeline_parallel: u32,
    #[serde(default = "one")]
    data_parallel: u32,
    #[serde(default = "one")]
    expert_parallel: u32,
    constants: Numbers,
    provenance: Provenance,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Numbers {
    host_ms: f64,
    per_sequence_us: f64,
    prefill_factor: f64,
    decode_factor: f64,
}

const fn one() -> u32 {
    1
}

impl Calibration {
    /// Reads a file.
    ///
    /// # Errors
    /// No such file, or wrong keys or values in it, with their place.
    pub fn read(path: &Path) -> Result<Self, CalibrationError> {
        let text = fs::read_to_string(path)
            .map_err(|source| CalibrationError::Unreadable { path: path.to_owned(), source })?;
        Calibration::parse(path, &text)
    }

    /// The calibration described by `text`, the contents of the file `path`.
    ///
    /// # Errors
    /// Wrong keys or values, with their place.
    pub fn parse(path: &Path, text: &str) -> Result<Self, CalibrationError> {
        let wrong = |problem: String, range: Option<Range<usize>>| CalibrationError::Wrong {
            path: path.to_owned(),
            problem,
            excerpt: range.map(|range| Box::new(Excerpt::of_text(&path.display().to_string(), text, range))),
        };
        let sheet: Sheet = serde_yaml::from_str(text).map_err(|error| {
            let range = error.location().map(|location| token(text, location.index()));
            // The parser repeats its place, which the excerpt shows.
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or(&message);
            wrong(message.to_owned(), range)
        })?;
        sheet.calibration().map_err(|(key, problem)| wrong(problem, value_of(text, key)))
    }

    /// As [`read`](Self::read) takes it.
    pub fn to_yaml(&self) -> String {
        let Fitted { host_ms, per_sequence_us, prefill_factor, decode_factor } = self.constants;
        let sheet = Sheet {
            engine: self.backend.name().to_owned(),
            gpu: self.gpu.clone(),
            model: self.model.clone(),
            expert_layers: self.expert_layers,
            precision: self.precision.name().to_owned(),
            tensor_parallel: self.parallelism.tensor,
            pipeline_parallel: self.parallelism.pipeline,
            data_parallel: self.parallelism.data,
            expert_parallel: self.parallelism.expert,
            constants: Numbers { host_ms, per_sequence_us, prefill_factor, decode_factor },
            provenance: self.provenance.clone(),
        };
        let yaml = serde_yaml::to_string(&sheet).expect("numbers and texts are YAML");
        format!("{COMMENT}{yaml}")
    }
}

/// A key and what is wrong with its value.
type Problem = (&'static str, String);

impl Sheet {
    fn calibration(self) -> Result<Calibration, Problem> {
        let backend = Backend::from_str(&self.engine).map_err(|error| ("engine", error.to_string()))?;
        let precision = Precision::from_str(&self.precision).map_err(|problem| ("precision", problem))?;
        let Numbers { host_ms, per_sequence_us, prefill_factor, decode_factor } = self.constants;
        for (key, value) in [("host_ms", host_ms), ("per_sequence_us", per_sequence_us)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err((key, format!("`{key}` is {value}; expected a number, at least 0")));
            }
        }
        for (key, value) in [("prefill_factor", prefill_factor), ("decode_factor", decode_factor)] {
            if !(value.is_finite() && value > 0.0) {
                return Err((key, format!("`{key}` is {value}; expected a number above 0")));
            }
        }
        Ok(Calibration {
            backend,
            gpu: self.gpu,
            model: self.model,
            expert_layers: self.expert_layers,
            precision,
            parallelism: Parallelism {
                pipeline: self.pipeline_parallel,
                tensor: self.tensor_parallel,
                data: self.data_parallel,
                expert: self.expert_parallel,
            },
            constants: Fitted { host_ms, per_sequence_us, prefill_factor, decode_factor },
            provenance: self.provenance,
        })
    }
}

/// From this byte to the end of the word there.
fn token(text: &str, at: usize) -> Range<usize> {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let length = text[at..].find([':', '\n', ' ']).unwrap_or(text.len() - at);
    at..at + length
}

/// Where the value of a key stands.
fn value_of(text: &str, key: &str) -> Option<Range<usize>> {
    let mut begin = 0;
    for line in text.split_inclusive('\n') {
        if let Some(value) = line.trim_start().strip_prefix(key).and_then(|rest| rest.strip_prefix(':')) {
            let value = value.trim();
            let at = begin + line.rfind(value)?;
            return Some(at..at + value.len());
        }
        begin += line.len();
    }
    None
}
