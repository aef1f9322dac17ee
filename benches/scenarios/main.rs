//! Whole commands: time and memory of `ebbflow run`, from reading the scenario to the last result file.
//!
//! ```text
//! cargo bench --bench scenarios                                # all but those that take minutes
//! cargo bench --bench scenarios -- storm growth                # those with one of these words in their name
//! cargo bench --bench scenarios -- storm --rounds 1 -- --arbiters 2    # the rest is handed on to `ebbflow run`
//! ```
//!
//! Every run has a process of its own; rounds are interleaved, medians are printed with the least and the most
//! wall-clock time. Rounds of one scenario must have the same digest. It never fails on time.

mod sample;
mod table;

use std::error::Error;
use std::process::ExitCode;

use sample::Sample;
use table::{FIGURES, Figure, Kind, SCENARIOS, Scenario};

struct Plan {
    words: Vec<String>,
    rounds: usize,
    options: Vec<String>,
}

type Row = (&'static Scenario, Vec<Sample>);

fn main() -> ExitCode {
    sample::be_the_command().unwrap_or_else(|| match plan().and_then(|plan| measure(&plan)) {
        Ok(rows) => {
            print(&rows);
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    })
}

fn plan() -> Result<Plan, Box<dyn Error>> {
    let mut plan = Plan { words: Vec::new(), rounds: 5, options: Vec::new() };
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--" => plan.options.extend(arguments.by_ref()),
            "--rounds" => {
                let count = arguments.next().and_then(|count| count.parse().ok());
                plan.rounds = count.filter(|count| *count > 0).ok_or("--rounds wants a number above 0")?;
            }
            option if option.starts_with('-') => return Err(format!("unknown option {option}").into()),
            _ => plan.words.push(argument),
        }
    }
    Ok(plan)
}

impl Plan {
    fn wants(&self, scenario: &Scenario) -> bool {
        let named = |word: &String| scenario.name.contains(word.as_str());
        if self.words.is_empty() { !scenario.only_named } else { self.words.iter().any(named) }
    }
}

fn measure(plan: &Plan) -> Result<Vec<Row>, Box<dyn Error>> {
    let wanted = SCENARIOS.iter().filter(|scenario| plan.wants(scenario));
    let mut rows: Vec<Row> = wanted.map(|scenario| (scenario, Vec::new())).collect();
    if rows.is_empty() {
        let names = SCENARIOS.map(|scenario| format!("\n  {}", scenario.name)).concat();
        return Err(format!("no scenario has one of these words in its name; there are{names}").into());
    }
    for round in 1..=plan.rounds {
        for (scenario, samples) in &mut rows {
            eprintln!("round {round} of {}: {}", plan.rounds, scenario.name);
            let sample = sample::take(scenario, &plan.options)?;
            if samples.first().is_some_and(|first: &Sample| first.digest != sample.digest) {
                return Err(format!("{}: two rounds have different digests", scenario.name).into());
            }
            samples.push(sample);
        }
    }
    Ok(rows)
}

fn sorted(samples: &[Sample], figure: impl Fn(&Sample) -> f64) -> Vec<f64> {
    let mut figures: Vec<f64> = samples.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures
}

fn median(samples: &[Sample], figure: impl Fn(&Sample) -> f64) -> f64 {
    sorted(samples, figure)[samples.len() / 2]
}

fn print(rows: &[Row]) {
    println!(
        "{:<44} {:>20} {:>7} {:>8} {:>10} {:>13}",
        "scenario", "wall s (range)", "CPU s", "peak MB", "requests", "CPU ns/token"
    );
    for (scenario, samples) in rows {
        let wall = sorted(samples, |sample| sample.wall_s);
        let cpu_s = median(samples, |sample| sample.cpu_s);
        println!(
            "{:<44} {:>20} {cpu_s:>7.2} {:>8.1} {:>10} {:>13}",
            scenario.name,
            format!("{:.2} ({:.2}-{:.2})", wall[wall.len() / 2], wall[0], wall[wall.len() - 1]),
            median(samples, |sample| sample.peak_bytes) / 1e6,
            samples[0].completed,
            per_token(cpu_s, samples[0].output_tokens),
        );
    }
    for figure in FIGURES {
        let samples = |name| rows.iter().find(|(scenario, _)| scenario.name == name).map(|row| &*row.1);
        if let (Some(of), Some(against)) = (samples(figure.of), samples(figure.against)) {
            println!("{}", sentence(&figure, of, against));
        }
    }
}

/// In nanoseconds; nothing for a run that hardly produces tokens.
fn per_token(cpu_s: f64, output_tokens: u64) -> String {
    if output_tokens < 10_000 { "-".to_owned() } else { format!("{:.1}", cpu_s * 1e9 / output_tokens as f64) }
}

fn sentence(figure: &Figure, of: &[Sample], against: &[Sample]) -> String {
    let times = |measure: fn(&Sample) -> f64| median(of, measure) / median(against, measure);
    match figure.kind {
        Kind::Times => {
            let (cpu, wall) = (times(|sample| sample.cpu_s), times(|sample| sample.wall_s));
            format!("{}: {cpu:.2} times the CPU time, {wall:.2} times the wall clock", figure.what)
        }
        Kind::BytesEach(count) => {
            let bytes = median(of, |sample| sample.peak_bytes) - median(against, |sample| sample.peak_bytes);
            format!("{}: {:.0} bytes", figure.what, bytes / f64::from(count))
        }
    }
}
