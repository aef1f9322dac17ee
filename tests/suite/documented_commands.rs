//! Every command that a document shows does what it says, here and now.
//!
//! Commands stand in `sh` blocks and indented by four spaces in Markdown, and indented or behind `Run:` in the
//! heads of the scenarios in `configs/`. Those of one document run in order in a place of their own that holds
//! what a reader would have: `configs/`, `my.yaml`, `trace.csv` and the like. Exit code 3 is right where the
//! command's comment or the head of its scenario says so. `NOT_RUN` lists what cannot be run here; that and
//! whatever is named `in passing` must at least name commands, options and benches that exist.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

use crate::support::repository;

/// Beginnings of commands that are checked without being run, and why.
const NOT_RUN: [(&str, &str); 9] = [
    ("cargo test", "this is one"),
    ("cargo bench", "takes minutes"),
    ("cargo run --release -- bench", "takes a minute; bench_command.rs runs it small"),
    ("ebbflow bench", "the same"),
    ("cargo run --release --features", "another build; tests/notebooks runs it"),
    ("cargo build", "another build"),
    ("cargo install", "another build"),
    ("cd benches/peers", "a workspace of its own, with minutes of building"),
    ("pip install", "needs a package registry; tests/notebooks runs it"),
];

/// A scenario that a reader may have.
const SCENARIO: &str = "
cluster: {servers: [{sku: dgx-h100, count: 2}]}
applications:
  - {application_id: 0, model_architecture: LLaMA, model_size: 70B, scheduler: token_jsq, scaling_manager: {max_instances: 4}}
start_state: {state_type: baseline, application_id: 0}
end_time: 60
workload: {rate: 2, requests: 40, synthetic: {prompt: 500, output: 20}}
";

const TRACE: &str = "TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:17:03.9799600,374,44
2023-11-16 18:17:04.0319600,396,109
2023-11-16 18:17:05.0781490,879,55
";

/// A command as a document shows it.
struct Shown {
    /// `README.md:17`
    place: String,
    /// With its comment.
    text: String,
    /// Whether only its parts are checked: it is named in a sentence.
    in_passing: bool,
}

/// All files below a folder with one of these extensions, but for what tools put there.
fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()) {
        if path.is_dir() && !path.ends_with("target") && !path.ends_with("node_modules") {
            found.extend(files(&path, extensions));
        } else if extensions.iter().any(|extension| path.extension().is_some_and(|found| found == *extension))
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The commands of every document, by document.
fn documents() -> BTreeMap<PathBuf, Vec<Shown>> {
    let (root, mut all) = (repository(), BTreeMap::new());
    let pages = ["README.md", "ARCHITECTURE.md"].map(|name| root.join(name)).into_iter();
    let rooms = ["docs", "configs", "benches", "actors"].map(|room| files(&root.join(room), &["md"]));
    for path in pages.chain(rooms.into_iter().flatten()) {
        all.insert(path.clone(), of_markdown(&path));
    }
    for path in files(&root.join("configs"), &["yaml"]) {
        all.insert(path.clone(), of_scenario(&path));
    }
    all
}

fn place(path: &Path, line: usize) -> String {
    format!("{}:{}", path.strip_prefix(repository()).unwrap().display(), line + 1)
}

fn is_command(text: &str) -> bool {
    text.starts_with("ebbflow ") || text.starts_with("cargo ")
}

fn of_scenario(path: &Path) -> Vec<Shown> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().enumerate().filter_map(|(number, line)| {
        let command = line.strip_prefix("# Run:").or(line.strip_prefix("#  "))?.trim();
        // A remark stands in parentheses behind it.
        let text = command.replacen("  (", "  # (", 1);
        is_command(command).then(|| Shown { place: place(path, number), text, in_passing: false })
    });
    lines.collect()
}

fn of_markdown(path: &Path) -> Vec<Shown> {
    let text = fs::read_to_string(path).unwrap().replace("\\\n", "\0");
    let (mut shown, mut fence, mut number) = (Vec::new(), None, 0);
    for line in text.lines() {
        let (place, command) = (place(path, number), line.replace('\0', " "));
        number += 1 + line.matches('\0').count();
        let mut add = |text: &str, in_passing| {
            shown.push(Shown { place: place.clone(), text: full(text.trim()), in_passing });
        };
        match (line.trim_start().strip_prefix("```"), &fence) {
            (Some(language), None) => {
                assert!(!["bash", "shell", "console", "zsh"].contains(&language), "{place}: write ```sh");
                fence = Some(language.to_owned());
            }
            (Some(_), Some(_)) => fence = None,
            (None, Some(language)) if language == "sh" && !is_blank(&command) => add(&command, false),
            (None, None) if line.starts_with("    ") && is_command(command.trim()) => add(&command, false),
            (None, None) => {
                command
                    .split('`')
                    .skip(1)
                    .step_by(2)
                    .filter(|span| is_command(span))
                    .for_each(|span| add(span, true));
            }
            _ => {}
        }
    }
    shown
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty() || line.trim().starts_with('#')
}

/// The autoscalers' README writes `…` for where all its overrides begin, and says so.
fn full(command: &str) -> String {
    command.replace(" ….", " applications.0.scaling_manager.")
}

/// What a reader would have: the repository's scenarios, some of their own, a trace.
fn workplace() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for path in files(&repository().join("configs"), &["yaml", "csv"]) {
        let copy = home.path().join(path.strip_prefix(repository()).unwrap());
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(&path, copy).unwrap();
    }
    for name in ["my.yaml", "small-fleet.yaml", "large-fleet.yaml"] {
        fs::write(home.path().join(name), SCENARIO).unwrap();
    }
    fs::write(home.path().join("trace.csv"), TRACE).unwrap();
    home
}

/// A folder with nothing but `ebbflow` in it, to be the whole PATH: what else a command calls for is missing.
fn path_of_ebbflow() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_ebbflow"), folder.path().join("ebbflow")).unwrap();
    folder
}

/// The command without cargo: this build is what `cargo run` would run.
fn as_ebbflow(command: &str) -> String {
    match command.strip_prefix("cargo run --release") {
        Some(rest) => format!("ebbflow{}", rest.replacen(" --", "", usize::from(rest.starts_with(" -- ")))),
        None => command.to_owned(),
    }
}

fn run(command: &str, place: &Path) -> Output {
    let path = path_of_ebbflow();
    let mut shell = Command::new("/bin/sh");
    shell.args(["-euc", &as_ebbflow(command)]).env("PATH", path.path()).env_remove("RUST_LOG");
    shell.current_dir(place).output().unwrap()
}

/// Whether a missed objective is what the reader was promised.
fn may_exit_with_3(command: &str, place: &Path) -> bool {
    let mut scenarios = command.split_whitespace().filter(|word| word.ends_with(".yaml"));
    let says = |text: &str| text.contains("code 3") || text.contains("exits with 3");
    let told = scenarios.any(|name| fs::read_to_string(place.join(name)).is_ok_and(|text| says(&text)));
    says(command) || told
}

/// What is wrong with the commands of a document.
fn problems(shown: &[Shown]) -> Vec<String> {
    let home = workplace();
    let mut problems = Vec::new();
    for Shown { place, text, in_passing } in shown {
        if *in_passing || NOT_RUN.iter().any(|(beginning, _)| text.starts_with(beginning)) {
            problems.extend(unknown_part(text).map(|what| format!("{place}: {text}\n  {what}")));
            continue;
        }
        let output = run(text, home.path());
        let fine = match output.status.code() {
            Some(0) => true,
            Some(3) => may_exit_with_3(text, home.path()),
            _ => false,
        };
        if !fine {
            let said = String::from_utf8_lossy(&output.stderr);
            problems.push(format!("{place}: {text}\n  {}: {said}", output.status));
        }
    }
    problems
}

/// The first part of a command that is nowhere: a subcommand, an option, a bench.
fn unknown_part(text: &str) -> Option<String> {
    let text = as_ebbflow(text.split(" #").next().unwrap_or(text));
    let mut words = text.split_whitespace();
    match (words.next()?, words.next()) {
        ("ebbflow", Some(subcommand)) if subcommand.chars().all(|c| c.is_ascii_lowercase()) => {
            let help = help_of(subcommand);
            let Some(help) = help else { return Some(format!("there is no `ebbflow {subcommand}`")) };
            let parts = words.flat_map(|word| word.split(['=', '[', ']', '/']));
            let mut options = parts.filter(|part| part.starts_with("--"));
            options.find(|option| !mentions(&help, option)).map(|option| format!("there is no {option}"))
        }
        ("cargo", Some("bench")) => {
            let bench = words.skip_while(|word| *word != "--bench").nth(1)?;
            let manifest = fs::read_to_string(repository().join("Cargo.toml")).unwrap();
            let known = manifest.contains(&format!("[[bench]]\nname = \"{bench}\"\n"));
            (!known).then(|| format!("there is no bench {bench}"))
        }
        _ => None,
    }
}

fn mentions(help: &str, option: &str) -> bool {
    help.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').any(|word| word == option)
}

fn help_of(subcommand: &str) -> Option<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_ebbflow")).args([subcommand, "--help"]).output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

#[test]
fn every_command_of_every_document_works() {
    let documents = documents();
    let problems: Vec<String> = thread::scope(|scope| {
        let running: Vec<_> = documents.values().map(|shown| scope.spawn(|| problems(shown))).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn commands_are_found_where_documents_have_them() {
    let documents = documents();
    let of = |name: &str| &documents[&repository().join(name)];
    let texts = |name| of(name).iter().filter(|shown| !shown.in_passing).map(|shown| shown.text.as_str());
    assert!(texts("README.md").any(|text| text.starts_with("ebbflow check my.yaml")));
    let kpa = "ebbflow run configs/autoscalers/kpa-panic.yaml";
    assert!(texts("configs/autoscalers/kpa-panic.yaml").any(|text| text == kpa));
    assert!(texts("configs/autoscalers/README.md").any(|text| text.ends_with(".kpa.panic_window_share=1")));
    let benches = of("benches/README.md");
    assert!(
        benches
            .iter()
            .any(|shown| shown.in_passing && shown.text.starts_with("cargo bench --bench hot_paths"))
    );
}

#[test]
fn a_command_that_does_not_work_is_noticed() {
    let shown =
        |text: &str, in_passing| Shown { place: "here".to_owned(), text: text.to_owned(), in_passing };
    for text in [
        "ebbflow run my.yml",
        "ebbflow frobnicate",
        "ebbflow run my.yaml --frob",
        "grep -r x .",
        "ebbflow run --no-files | head",
        "cargo bench --bench nothing",
    ] {
        assert_eq!(problems(&[shown(text, false)]).len(), 1, "{text}");
    }
    for text in ["`ebbflow frobnicate`", "`ebbflow run --frob`", "`cargo bench --bench nothing`"] {
        assert_eq!(problems(&[shown(text.trim_matches('`'), true)]).len(), 1, "{text}");
    }
    let missed = "ebbflow run my.yaml --no-files 'slo=ttft.p99<1ms'";
    assert_eq!(problems(&[shown(missed, false)]).len(), 1);
    assert_eq!(problems(&[shown(&format!("{missed} # exits with code 3"), false)]).len(), 0);
}
