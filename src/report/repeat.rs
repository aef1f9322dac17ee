//! Whether a repeated run is the same, and if not, what is different first.
//!
//! Equal digests mean that every event and every record were equal. Otherwise the two `run.json` are compared
//! figure by figure in an order in which a cause comes before what it causes: the version, the scenario, the
//! requests, and then whatever else the file says, in its own order. Left out is what may differ between equal
//! runs: wall-clock time, how the work was spread over threads, names and places of files.

use serde::Serialize;
use serde_json::Value;

/// Keys of `run.json` that say how or where it ran, not what came of it; and the digest, which is judged apart.
const NOT_COMPARED: [&str; 11] = [
    "version",
    "name",
    "digest",
    "incomplete",
    "wall_s",
    "envelopes",
    "windows",
    "arbiters",
    "notes",
    "inputs",
    "scenario",
];

/// Where the scenario names files, which may have been moved.
const PLACES: [&str; 2] = ["scenario.workload.trace", "scenario.performance_model.db.path"];

/// A figure that is not what it was.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Difference {
    /// Its key in `run.json`, e.g. `requests.completed`.
    pub key: String,
    /// What it was; null: there was none.
    pub before: Value,
    /// What it is now; null: there is none.
    pub now: Value,
}

/// What became of a repeated run, against the `run.json` of the first one.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Repetition {
    /// Whether both digests are equal.
    pub same: bool,
    /// Digest of the first run.
    pub digest_before: String,
    /// Digest of the repeated one.
    pub digest_now: String,
    /// Which version ran first.
    pub version_before: String,
    /// This version.
    pub version_now: String,
    /// What differs, the likely cause first. Empty if nothing does, or nothing that is summed up.
    pub differences: Vec<Difference>,
}

impl Repetition {
    /// Compares two `run.json`.
    pub fn of(before: &Value, now: &Value) -> Self {
        let text = |run: &Value, key: &str| run[key].as_str().unwrap_or_default().to_owned();
        let (digest_before, digest_now) = (text(before, "digest"), text(now, "digest"));
        let same = digest_before == digest_now;
        Repetition {
            same,
            digest_before,
            digest_now,
            version_before: text(before, "version"),
            version_now: text(now, "version"),
            differences: if same { Vec::new() } else { differences(before, now) },
        }
    }
}

/// Everything that differs, in the order told above.
fn differences(before: &Value, now: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    for key in ["version", "scenario", "requests"] {
        compare(key, &before[key], &now[key], &mut found);
    }
    let rest = |key: &String| key != "requests" && !NOT_COMPARED.contains(&key.as_str());
    for (key, value) in now.as_object().into_iter().flatten().filter(|(key, _)| rest(key)) {
        compare(key, &before[key], value, &mut found);
    }
    found.retain(|difference| !PLACES.contains(&difference.key.as_str()));
    found
}

/// Notes what differs below `key`.
fn compare(key: &str, before: &Value, now: &Value, found: &mut Vec<Difference>) {
    match (before, now) {
        (Value::Object(old), Value::Object(new)) => {
            for (name, value) in new {
                compare(&format!("{key}.{name}"), old.get(name).unwrap_or(&Value::Null), value, found);
            }
            for (name, value) in old.iter().filter(|(name, _)| !new.contains_key(*name)) {
                compare(&format!("{key}.{name}"), value, &Value::Null, found);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (place, (old, new)) in old.iter().zip(new).enumerate() {
                compare(&format!("{key}.{place}"), old, new, found);
            }
        }
        _ if before == now => {}
        _ => found.push(Difference { key: key.to_owned(), before: before.clone(), now: now.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn run() -> Value {
        json!({
            "version": "1", "digest": "aa", "wall_s": 1.5, "events": 10,
            "requests": {"arrived": 3, "completed": 3},
            "ttft_s": {"p50": 0.5, "p99": 2.0},
            "applications": [{"scaling": {"refused": 0}}],
            "scenario": {"seed": 1, "workload": {"trace": "/here/t.csv", "limit": null}},
        })
    }

    fn keys(repetition: &Repetition) -> Vec<&str> {
        repetition.differences.iter().map(|difference| difference.key.as_str()).collect()
    }

    #[test]
    fn equal_digests_are_the_same_whatever_the_clock_says() {
        let (before, mut now) = (run(), run());
        now["wall_s"] = json!(99.0);
        now["scenario"]["workload"]["trace"] = json!("/there/t.csv");
        let repetition = Repetition::of(&before, &now);
        assert!(repetition.same && repetition.differences.is_empty());
    }

    #[test]
    fn the_cause_stands_before_what_it_caused() {
        let (before, mut now) = (run(), run());
        now["digest"] = json!("bb");
        now["version"] = json!("2");
        now["events"] = json!(11);
        now["requests"]["completed"] = json!(2);
        now["ttft_s"]["p99"] = json!(2.5);
        now["scenario"]["seed"] = json!(2);
        now["scenario"]["workload"]["trace"] = json!("/there/t.csv");
        now["applications"][0]["scaling"]["refused"] = json!(1);
        let repetition = Repetition::of(&before, &now);
        let expected = [
            "version",
            "scenario.seed",
            "requests.completed",
            "events",
            "ttft_s.p99",
            "applications.0.scaling.refused",
        ];
        assert_eq!(keys(&repetition), expected);
        assert_eq!(repetition.differences[2].before, json!(3));
        assert_eq!(repetition.differences[2].now, json!(2));
    }

    #[test]
    fn a_figure_that_came_or_went_differs() {
        let (before, mut now) = (run(), run());
        now["digest"] = json!("bb");
        now["requests"] = json!({"arrived": 3, "rejected": 1});
        assert_eq!(keys(&Repetition::of(&before, &now)), ["requests.rejected", "requests.completed"]);
    }
}
