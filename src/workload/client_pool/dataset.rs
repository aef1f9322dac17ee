//! `chunk-N-dataset.json`: how long a client's requests are, some hours at a time.
//!
//! By the start of a window in seconds, per quantity a text that holds a mapping `{tokens: probability, …}`. A prompt is
//! `input_tokens`, or else `text_tokens` and of images, audio and video as many times their tokens as they are counted:
//! `image_tokens` are those of one image. Outputs are `output_tokens`; of reasoning models they hold the reasoning, whose
//! share (`reason_ratio`) changes nothing for a server. A window with an empty mapping says nothing: the client was silent.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

use ebbflow_actors::SimTime;

use super::ClientPoolError;
use super::lengths::{Counts, Dataset, Part};
use crate::diagnosis::{Excerpt, RowProblem};
use crate::workload::entry::MAX_TOKENS;

/// Parts of a prompt that may be counted: tokens of each, how many.
const COUNTED: [(&str, &str); 3] =
    [("image_tokens", "image_count"), ("audio_tokens", "audio_count"), ("video_tokens", "video_count")];
/// Most parts of a kind in one prompt.
const MAX_COUNT: u32 = 10_000;
/// Probabilities add up to 1 within this.
const TOLERANCE: f64 = 1e-3;

type Quantities = BTreeMap<String, String>;

/// Reads and checks a whole file; windows that say nothing are left out.
pub(super) fn read(path: &Path) -> Result<Vec<Dataset>, ClientPoolError> {
    let bytes =
        fs::read(path).map_err(|source| ClientPoolError::Unreadable { path: path.to_owned(), source })?;
    let text = String::from_utf8_lossy(&bytes);
    let excerpt = |place| Box::new(Excerpt::of_text(&path.display().to_string(), &text, place));
    let windows: BTreeMap<String, Quantities> = serde_json::from_str(&text).map_err(|source| {
        let excerpt = excerpt(place_of(&text, &source));
        ClientPoolError::Json { source, excerpt }
    })?;
    let mut datasets = Vec::new();
    for (window, quantities) in &windows {
        let wrong = |Wrong { quantity, problem, part }: Wrong<'_>| {
            let (keys, quantity) = ([quoted(window), quoted(quantity), part.to_owned()], quantity.to_owned());
            ClientPoolError::Lengths {
                window: window.clone(),
                quantity,
                problem,
                excerpt: excerpt(place(&text, &keys)),
            }
        };
        let from = window.parse().ok().and_then(|seconds| SimTime::from_secs_f64(seconds).ok());
        let from = from.ok_or_else(|| {
            let problem = RowProblem::new("its start", window, "seconds of at least 0");
            wrong(Wrong { quantity: "the key", problem, part: "" })
        })?;
        datasets.extend(dataset(from, quantities).map_err(wrong)?);
    }
    Ok(datasets)
}

/// What is wrong with which quantity, and which part of its text that is.
struct Wrong<'t> {
    quantity: &'t str,
    problem: RowProblem,
    part: &'t str,
}

fn quoted(key: &str) -> String {
    format!("\"{key}\"")
}

/// Where the last of these stands behind the others, or the last that is there.
fn place(text: &str, keys: &[String]) -> Range<usize> {
    let mut place = 0..0;
    for key in keys.iter().filter(|key| !key.is_empty()) {
        let Some(at) = text[place.end..].find(key.as_str()) else { break };
        place = place.end + at..place.end + at + key.len();
    }
    place
}

/// The character that a parser stopped at.
fn place_of(text: &str, error: &serde_json::Error) -> Range<usize> {
    let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let mut at = (before + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at..at + text[at..].chars().next().map_or(0, char::len_utf8)
}

/// What a window says; nothing if a mapping is empty. Or what is wrong with which quantity.
fn dataset(from: SimTime, quantities: &Quantities) -> Result<Option<Dataset>, Wrong<'_>> {
    let counts = |name: &'static str, most: u32| {
        let text = quantities.get(name).map(|text| {
            counts(text, most).map_err(|(problem, part)| Wrong { quantity: name, problem, part })
        });
        text.transpose()
    };
    let missing = |quantity| {
        let problem = RowProblem::new("the quantity", "", "a text like `{45: 0.5, 90: 0.5}`");
        Wrong { quantity, problem, part: "" }
    };
    let whole = counts("input_tokens", MAX_TOKENS)?;
    let text = if whole.is_none() { counts("text_tokens", MAX_TOKENS)? } else { None };
    let first = whole.or(text).ok_or_else(|| missing("input_tokens"))?;
    let output = counts("output_tokens", MAX_TOKENS)?.ok_or_else(|| missing("output_tokens"))?;
    let (Some(first), Some(output)) = (first, output) else { return Ok(None) };
    let mut prompt = vec![Part { tokens: first, count: None }];
    if !quantities.contains_key("input_tokens") {
        for (tokens, count) in COUNTED {
            let Some(Some(tokens)) = counts(tokens, MAX_TOKENS)? else { continue };
            prompt.push(Part { tokens, count: counts(count, MAX_COUNT)?.flatten() });
        }
    }
    Ok(Some(Dataset { from, prompt, output }))
}

/// A mapping `{value: probability, …}`; none if it is empty. Or what is wrong with which part.
fn counts(text: &str, most: u32) -> Result<Option<Counts>, (RowProblem, &str)> {
    let inside = text.trim().strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let expected = "a mapping `{tokens: probability, …}`";
    let inside = inside.ok_or_else(|| (RowProblem::new("the text", text, expected), text))?;
    let entries = inside.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let entries: Vec<(u32, f64)> = entries.map(|text| entry(text, most)).collect::<Result<_, _>>()?;
    let sum: f64 = entries.iter().map(|(_, probability)| probability).sum();
    if !entries.is_empty() && (sum - 1.0).abs() > TOLERANCE {
        return Err((RowProblem::new("the sum of the probabilities", &sum.to_string(), "1"), text));
    }
    Ok(Counts::of(entries))
}

/// `value: probability`.
fn entry(text: &str, most: u32) -> Result<(u32, f64), (RowProblem, &str)> {
    let wrong = |expected: String| (RowProblem::new("an entry", text, expected), text);
    let both = text.split_once(':').ok_or_else(|| wrong("`tokens: probability`".to_owned()))?;
    let value = both.0.trim().parse().ok().filter(|value| *value <= most);
    let probability = both.1.trim().parse().ok().filter(|share| (0.0..=1.0).contains(share));
    Ok((
        value.ok_or_else(|| wrong(format!("a whole number up to {most} before the colon")))?,
        probability.ok_or_else(|| wrong("a probability from 0 to 1 behind the colon".to_owned()))?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vec<Dataset>, ClientPoolError> {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("chunk-4-dataset.json");
        fs::write(&path, text).unwrap();
        read(&path)
    }

    fn always(value: u32) -> Counts {
        Counts::of(vec![(value, 1.0)]).unwrap()
    }

    #[test]
    fn prompts_are_inputs_or_texts_with_counted_images() {
        let datasets = of(r#"{
            "0": {"input_tokens": "{}", "output_tokens": "{3: 1.0}", "reason_ratio": "{0.5: 1.0}"},
            "21600": {"input_tokens": "{8: 0.5, 4: 0.5}", "output_tokens": "{3: 1.0}", "text_tokens": "{1: 1.0}"},
            "43200": {"text_tokens": "{5: 1}", "image_tokens": "{900: 1}", "image_count": "{2: 1}",
                      "audio_tokens": "{}", "video_tokens": "{7: 1}", "output_tokens": "{0: 1}"}
        }"#)
        .unwrap();
        assert_eq!(datasets.len(), 2);
        assert_eq!(datasets[0].from.as_secs_f64(), 21600.0);
        let inputs = Part { tokens: Counts::of(vec![(4, 0.5), (8, 0.5)]).unwrap(), count: None };
        assert_eq!((&datasets[0].prompt, &datasets[0].output), (&vec![inputs], &always(3)));
        let image = Part { tokens: always(900), count: Some(always(2)) };
        let plain = |tokens| Part { tokens: always(tokens), count: None };
        assert_eq!(datasets[1].prompt, [plain(5), image, plain(7)]);
    }

    #[test]
    fn what_is_wrong_is_told_by_file_window_and_quantity() {
        let texts = [
            ("45: 1.0", "input_tokens: the text is `45: 1.0`; expected a mapping"),
            ("{45}", "input_tokens: an entry is `45`; expected `tokens: probability`"),
            ("{4.5: 1.0}", "an entry is `4.5: 1.0`; expected a whole number up to 10000000"),
            ("{45: x}", "expected a probability from 0 to 1"),
            ("{45: 0.2, 46: 0.2}", "the sum of the probabilities is `0.4`; expected 1"),
        ];
        for (text, told) in texts {
            let json = format!(r#"{{"600": {{"input_tokens": "{text}", "output_tokens": "{{1: 1}}"}}}}"#);
            let error = of(&json).unwrap_err().to_string();
            assert!(error.contains(": window 600, ") && error.contains(told), "{error}");
            assert!(error.contains("chunk-4-dataset.json:1:"), "{error}");
        }
        let error = of(r#"{"0": {"input_tokens": "{1: 1}"}}"#).unwrap_err().to_string();
        assert!(error.contains("output_tokens: the quantity is missing"), "{error}");
        let error = of(r#"{"x": {"input_tokens": "{1: 1}"}}"#).unwrap_err().to_string();
        assert!(error.contains("chunk-4-dataset.json:1:2: window x, the key: its start is `x`"), "{error}");
        let error = of("{\"0\":\n 7}").unwrap_err().to_string();
        assert!(error.contains("chunk-4-dataset.json:2:2: these are not the lengths of a client"), "{error}");
    }
}
