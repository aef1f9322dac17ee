//! Explanations for people: aligned plain text, at most 100 columns where names are of usual length.

mod decision;
mod instance;
mod overview;
mod request;

pub use decision::decision;
pub use instance::instance;
pub use overview::overview;
pub use request::request;

use std::fmt::Display;

use ebbflow_actors::{SimDuration, SimTime};

/// `TTFT           2.1 s`: a label and what is said of it.
fn line(out: &mut String, label: &str, text: impl Display) {
    out.push_str(format!("{label:<16}{text}").trim_end());
    out.push('\n');
}

/// A line that belongs to the one above.
fn note(out: &mut String, text: impl Display) {
    line(out, "", text);
}

/// Seconds with as many digits as make sense beside each other.
fn secs(seconds: f64) -> String {
    match seconds {
        small if small.abs() < 0.001 && small != 0.0 => format!("{small:.6} s"),
        _ => format!("{seconds:.3} s"),
    }
}

fn at(time: SimTime) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

fn long(span: SimDuration) -> String {
    secs(span.as_secs_f64())
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// `1 request`, `2 requests`.
fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// `a, b and c`.
fn and(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_put_together_as_people_do() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(and(&words("a b c")), "a, b and c");
        assert_eq!(count(1, "prompt") + ", " + &count(2, "prompt"), "1 prompt, 2 prompts");
        assert_eq!(secs(0.0000021), "0.000002 s");
    }
}
