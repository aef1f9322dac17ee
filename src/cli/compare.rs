//! `ebbflow compare`: several policies over one scenario, or several scenarios, in one table.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::compare::{
    self, ClassRow, Comparison, Contender, Detail, Mean, compare as compare_all, run_count, table,
};
use crate::registry::Registry;
use crate::report;
use crate::scenario::Scenario;

use super::exit::{self, CliError};
use super::input::Input;
use super::options::Format;
use super::{print, progress};

/// Arguments of `ebbflow compare`.
#[derive(clap::Args, Debug)]
pub struct CompareArgs {
    /// Scenario files (none: the built-in scenario), and overrides of their keys; what contains `=` is an override
    #[arg(value_name = "SCENARIO.yaml | KEY=VALUE")]
    inputs: Vec<String>,
    /// Autoscaling policies to put into the scenario one after the other, as in `hpa,kpa,{threshold: {window: 60}}`;
    /// `all`: all there are
    #[arg(long, value_name = "LIST")]
    policies: Option<String>,
    /// Run everything with this many seeds, counting up from the scenario's
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// What is good enough, e.g. 'ttft.p99<2s, tbt.p99<100ms', instead of the scenario's; exit code 3 if nobody
    /// keeps it
    #[arg(long, value_name = "OBJECTIVES")]
    slo: Option<String>,
    /// What to print on stdout: the table, or JSON
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Also write the figures here, one line a policy, and one for each class of its requests
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Also write everything here, every single run included
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Also draw everything in a page: the table, cost against attainment, the fleets laid over one another
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// No progress on stderr
    #[arg(long, short)]
    quiet: bool,
}

/// Runs all contenders and prints the table.
pub fn compare(arguments: &CompareArgs) -> Result<ExitCode, CliError> {
    let registry = Registry::builtin();
    let contenders = arguments.contenders(&registry)?;
    let bar = progress::counted(arguments.quiet, run_count(&contenders), "runs");
    let detail = if arguments.report.is_some() { Detail::Sketches } else { Detail::Figures };
    let comparison = compare_all(&contenders, &registry, detail, |done| bar.set_position(done as u64));
    bar.finish_and_clear();
    arguments.write(&comparison)?;
    let kept = comparison.rows.iter().any(|row| row.met != Some(false));
    Ok(match (comparison.rows.is_empty(), kept) {
        (true, _) => ExitCode::from(exit::BAD_INPUT),
        (false, false) => ExitCode::from(exit::BREACH),
        (false, true) => ExitCode::SUCCESS,
    })
}

impl CompareArgs {
    fn contenders(&self, registry: &Registry) -> Result<Vec<Contender>, CliError> {
        let (overrides, files): (Vec<&String>, Vec<&String>) =
            self.inputs.iter().partition(|input| input.contains('='));
        let mut all = Input::new(None, overrides.into_iter().cloned().collect());
        if let Some(slo) = &self.slo {
            all.aim_at(slo)?;
        }
        let input = |file: Option<&String>| all.clone().of_file(file.map(PathBuf::from));
        match (&self.policies, &files[..]) {
            (Some(_), [_, _, ..]) => Err(CliError::bad_input(
                "--policies goes with one scenario; several are compared as they are",
            )),
            (Some(list), files) => self.of_policies(list, &input(files.first().copied()), registry),
            (None, []) => Err(CliError::bad_input(
                "there is nothing to compare: name policies with --policies, or several scenarios",
            )),
            (None, files) => {
                files.iter().map(|file| self.contender(file, &input(Some(file)), registry)).collect()
            }
        }
    }

    fn of_policies(
        &self,
        list: &str,
        input: &Input,
        registry: &Registry,
    ) -> Result<Vec<Contender>, CliError> {
        let all = || registry.policies().map(|known| known.kind.name.to_owned()).collect();
        let policies: Vec<String> = if list.trim() == "all" { all() } else { split(list) };
        let applications = input.scenario(registry)?.applications.len();
        let contender = |policy: &String| {
            let mut changed = input.clone();
            for application in 0..applications {
                let key = format!("applications.{application}.scaling_manager");
                let given = format!("{key}.autoscaling_policy={policy}");
                changed.option(given, "--policies", list, policy);
                changed.overrides.push(format!("{key}.enable_autoscaling=true"));
            }
            self.contender(policy, &changed, registry)
        };
        policies.iter().map(contender).collect()
    }

    /// The scenario under every seed.
    fn contender(&self, name: &str, input: &Input, registry: &Registry) -> Result<Contender, CliError> {
        let first = input.scenario(registry)?;
        let under = |seed: u64| Scenario { seed, ..first.clone() };
        let seeds = (0..self.seeds).map(|nth| first.seed.wrapping_add(nth));
        Ok(Contender { name: name.to_owned(), scenarios: seeds.map(under).collect() })
    }

    fn write(&self, comparison: &Comparison) -> Result<(), CliError> {
        let mut json = serde_json::to_string_pretty(comparison).map_err(CliError::failed)?;
        json.push('\n');
        if let Some(file) = &self.json {
            fs::write(file, &json).map_err(|error| failed(file, error))?;
        }
        if let Some(file) = &self.csv {
            write_csv(file, comparison).map_err(|error| failed(file, error))?;
        }
        if let Some(file) = &self.report {
            let page = compare::page(comparison, "Comparison · Ebbflow");
            report::write(file, &page).map_err(CliError::failed)?;
        }
        let text = if self.format == Format::Json { json } else { table(comparison) };
        print::stdout(&text).map_err(CliError::failed)
    }
}

fn write_csv(file: &Path, comparison: &Comparison) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_path(file)?;
    let figures = comparison.rows.first().map(|row| row.figures.as_slice()).unwrap_or_default();
    let mut header = vec!["policy".to_owned(), "kept".to_owned()];
    header.extend(figures.iter().flat_map(|(name, _)| [(*name).to_owned(), format!("{name}_ci95")]));
    let width = header.len();
    header.extend(["gap_to_oracle", "class"].map(str::to_owned));
    writer.write_record(&header)?;
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let cells = |name: &str, met: Option<bool>, figures: &[(&str, Mean)]| {
        let mut cells = vec![name.to_owned(), met.map(|met| met.to_string()).unwrap_or_default()];
        cells.extend(figures.iter().flat_map(|(_, mean)| [number(mean.mean), number(mean.ci95)]));
        // A class has no figures of the fleet, which come last.
        cells.resize(width, String::new());
        cells
    };
    for row in &comparison.rows {
        let last = [number(row.gap_to_oracle), String::new()];
        writer.write_record(cells(&row.name, row.met, &row.figures).iter().chain(&last))?;
        for ClassRow { class, met, figures } in &row.classes {
            let last = [String::new(), class.clone()];
            writer.write_record(cells(&row.name, *met, figures).iter().chain(&last))?;
        }
    }
    Ok(writer.flush()?)
}

fn failed(file: &Path, error: impl std::fmt::Display) -> CliError {
    CliError::failed(format!("cannot write {}: {error}", file.display()))
}

/// The entries of a list, commas within braces and brackets left alone.
fn split(list: &str) -> Vec<String> {
    let mut depth = 0;
    let entries = list.split(|c| {
        depth += i32::from(matches!(c, '{' | '[')) - i32::from(matches!(c, '}' | ']'));
        c == ',' && depth == 0
    });
    entries.map(|entry| entry.trim().to_owned()).filter(|entry| !entry.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_policies_may_have_settings_with_commas() {
        let list = "hpa, {threshold: {window: 60, max_queue_length: 3}},kpa,";
        assert_eq!(split(list), ["hpa", "{threshold: {window: 60, max_queue_length: 3}}", "kpa"]);
    }
}
