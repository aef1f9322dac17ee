//! Reads objectives, and says of every one that cannot be read which part of it is wrong.

use std::ops::Range;
use std::str::FromStr;

use super::{ALIASES, KINDS, LatencyKind, Objective, Slo, Statistic};
use crate::diagnosis::{Excerpt, Finding, Findings, suggestion};

const FORM: &str = "LATENCY.STATISTIC<LIMIT, as in `ttft.p99<2s, tbt.p99<100ms`";
const STATISTICS: [&str; 6] = ["mean", "p50", "p90", "p95", "p99", "max"];
const UNITS: [&str; 4] = ["s", "ms", "us", "min"];

/// Objectives that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}", problems.iter().map(BadObjective::to_string).collect::<Vec<_>>().join("; "))]
pub struct BadSlo {
    /// What was given.
    pub text: String,
    /// Everything that is wrong with it.
    pub problems: Vec<BadObjective>,
}

/// What is wrong with an objective.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}; {help}")]
pub struct BadObjective {
    /// The bytes that are wrong.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What is accepted.
    pub help: String,
}

impl BadSlo {
    /// Every problem with a mark under it. `shown` is the text as the user wrote it, which ends with the objectives.
    pub fn findings(&self, shown: &str) -> Findings {
        let before = shown.len() - self.text.len();
        let finding = |problem: &BadObjective| Finding {
            message: problem.message.clone(),
            excerpt: Some(Excerpt::of_argument(
                shown,
                before + problem.range.start..before + problem.range.end,
            )),
            help: Some(problem.help.clone()),
        };
        let count = self.problems.len();
        let problems = if count == 1 { "problem" } else { "problems" };
        Findings {
            headline: format!("{count} {problems} in the objectives"),
            list: self.problems.iter().map(finding).collect(),
            closing: None,
        }
    }
}

impl FromStr for Slo {
    type Err = BadSlo;

    fn from_str(text: &str) -> Result<Self, BadSlo> {
        let (mut objectives, mut problems) = (Vec::new(), Vec::new());
        for part in text.split(',') {
            match Part(part).objective() {
                Ok(objective) => objectives.push(objective),
                Err((token, message, help)) => {
                    let begin = offset(text, token);
                    problems.push(BadObjective { range: begin..begin + token.len(), message, help });
                }
            }
        }
        if problems.is_empty() {
            Ok(Slo(objectives))
        } else {
            Err(BadSlo { text: text.to_owned(), problems })
        }
    }
}

/// Bytes of `text` before its part `token`.
fn offset(text: &str, token: &str) -> usize {
    (token.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

/// The token that is wrong, what is wrong with it, what is accepted.
type Wrong<'t> = (&'t str, String, String);

/// One objective as written.
struct Part<'t>(&'t str);

impl<'t> Part<'t> {
    fn objective(&self) -> Result<Objective, Wrong<'t>> {
        let text = self.0.trim();
        let form = |message: &str| (text, message.to_owned(), format!("an objective is {FORM}"));
        if text.is_empty() {
            return Err(form("an objective is empty"));
        }
        let (what, limit) = text.split_once('<').ok_or_else(|| form("this objective has no limit"))?;
        let what = what.trim();
        let (latency, statistic) = what.split_once('.').ok_or_else(|| {
            (what, format!("`{what}` names no statistic"), format!("an objective is {FORM}"))
        })?;
        Ok(Objective {
            latency: latency_kind(latency)?,
            statistic: parse_statistic(statistic)?,
            limit_s: parse_seconds(limit.trim_start_matches('=').trim())?,
        })
    }
}

fn latency_kind(text: &str) -> Result<LatencyKind, Wrong<'_>> {
    let mut named = KINDS.iter().chain(&ALIASES);
    let known = named.find(|(_, name)| name.eq_ignore_ascii_case(text)).map(|(kind, _)| *kind);
    let [names, aliases] =
        [&KINDS[..], &ALIASES].map(|all| all.iter().map(|(_, name)| *name).collect::<Vec<_>>());
    known.ok_or_else(|| (text, format!("unknown latency `{text}`"), suggestion(text, &names, &aliases)))
}

fn parse_statistic(text: &str) -> Result<Statistic, Wrong<'_>> {
    let percent =
        || text.strip_prefix('p')?.parse().ok().filter(|percent| *percent > 0.0 && *percent < 100.0);
    match text {
        "mean" => Ok(Statistic::Mean),
        "max" => Ok(Statistic::Max),
        _ => percent().map(|percent: f64| Statistic::Quantile(percent / 100.0)).ok_or_else(|| {
            let help = suggestion(text, &STATISTICS, &[]);
            (text, format!("unknown statistic `{text}`"), format!("{help}; any p above 0 and below 100"))
        }),
    }
}

fn parse_seconds(text: &str) -> Result<f64, Wrong<'_>> {
    let units = || format!("accepted: a number above 0 with a unit of {}", UNITS.join(", "));
    let Some(unit_at) = text.find(char::is_alphabetic) else {
        let message = if text.is_empty() {
            "the limit is missing".into()
        } else {
            format!("the limit `{text}` has no unit")
        };
        return Err((text, message, units()));
    };
    let (number, unit) = (text[..unit_at].trim(), &text[unit_at..]);
    let Ok(number) = number.parse::<f64>() else {
        return Err((text, format!("the limit `{text}` does not begin with a number"), units()));
    };
    // Divided, not multiplied by what no binary fraction is: 100ms is 0.1 s to the last bit.
    let seconds = match unit {
        "s" => number,
        "ms" => number / 1e3,
        "us" => number / 1e6,
        "min" => number * 60.0,
        _ => return Err((unit, format!("unknown unit `{unit}`"), suggestion(unit, &UNITS, &[]))),
    };
    let valid = seconds.is_finite() && seconds > 0.0;
    if valid { Ok(seconds) } else { Err((text, format!("the limit `{text}` is not above 0"), units())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> Vec<(String, String)> {
        let error = text.parse::<Slo>().expect_err(text);
        let parts = error.problems.iter();
        parts.map(|problem| (text[problem.range.clone()].to_owned(), problem.message.clone())).collect()
    }

    #[test]
    fn the_part_that_is_wrong_is_marked() {
        for (text, token, message) in [
            ("", "", "an objective is empty"),
            ("ttft", "ttft", "this objective has no limit"),
            (" ttft<2s", "ttft", "`ttft` names no statistic"),
            ("ttft.p99<", "", "the limit is missing"),
            ("ttft.p99<2", "2", "the limit `2` has no unit"),
            ("ttft.p99 < 2 sec", "sec", "unknown unit `sec`"),
            ("ttft.p0<1s", "p0", "unknown statistic `p0`"),
            ("tps.p50<1s", "tps", "unknown latency `tps`"),
            ("ttft.p99<-1s", "-1s", "the limit `-1s` is not above 0"),
            ("ttft.p99<NaNs", "NaNs", "the limit `NaNs` does not begin with a number"),
        ] {
            assert_eq!(wrong(text), [(token.to_owned(), message.to_owned())], "{text}");
        }
    }

    #[test]
    fn all_wrong_objectives_are_named_at_once() {
        let found: Vec<_> =
            wrong("ttft.p99<2s, tbd.p99<1s,e2e.men<1s").into_iter().map(|(token, _)| token).collect();
        assert_eq!(found, ["tbd", "men"]);
    }
}
