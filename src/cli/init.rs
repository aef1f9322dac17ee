//! `ebbflow init`: a scenario to start from, and the schema by which an editor helps with it.

mod examples;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::registry::Registry;
use crate::schema;

use super::exit::CliError;
use super::print;
use examples::{Example, STARTER, find, list};

/// The line by which an editor finds the schema begins like this.
const MODELINE: &str = "# yaml-language-server: $schema=";

/// Arguments of `ebbflow init`.
#[derive(clap::Args, Debug)]
pub struct InitArgs {
    /// The file to write; `.yaml` is added where it has no ending
    #[arg(default_value = "scenario.yaml")]
    name: PathBuf,
    /// Start from this shipped scenario instead (see --list)
    #[arg(long, value_name = "EXAMPLE")]
    from: Option<String>,
    /// List the shipped scenarios and write nothing
    #[arg(long, conflicts_with_all = ["from", "force", "no_schema"])]
    list: bool,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
    /// Do not write the schema for editors beside it
    #[arg(long)]
    no_schema: bool,
}

/// Writes the files and says what to do next.
pub fn init(arguments: &InitArgs) -> Result<ExitCode, CliError> {
    if arguments.list {
        print::stdout(&list()).map_err(CliError::failed)?;
        return Ok(ExitCode::SUCCESS);
    }
    let path = with_ending(&arguments.name);
    let example =
        arguments.from.as_deref().map_or(Ok(STARTER), |name| find(name).map_err(CliError::bad_input))?;
    let mut files = vec![(path.clone(), scenario(&example, &path, !arguments.no_schema))];
    if !arguments.no_schema {
        files.push((path.with_file_name(schema::FILE_NAME), schema::scenario_text(&Registry::builtin())));
    }
    for (path, text) in &files {
        refuse_to_overwrite(path, text, arguments.force)?;
    }
    for (path, text) in &files {
        fs::write(path, text)
            .map_err(|error| CliError::failed(format!("{} cannot be written: {error}", path.display())))?;
    }
    print::stdout(&next(&path)).map_err(CliError::failed)?;
    Ok(ExitCode::SUCCESS)
}

fn with_ending(name: &Path) -> PathBuf {
    if name.extension().is_some() { name.to_owned() } else { name.with_extension("yaml") }
}

/// The text of an example as the file `path`: its commands name that file, its schema stands beside it.
fn scenario(example: &Example, path: &Path, with_schema: bool) -> String {
    let shipped = format!("configs/{}.yaml", example.name);
    let lines = example.text.lines().filter(|line| !line.starts_with(MODELINE));
    let mut text = if with_schema { format!("{MODELINE}{}\n", schema::FILE_NAME) } else { String::new() };
    for line in lines {
        text.push_str(&line.replace(&shipped, &path.display().to_string()));
        text.push('\n');
    }
    text
}

/// A file that is there already is only replaced by force, or by itself.
fn refuse_to_overwrite(path: &Path, text: &str, force: bool) -> Result<(), CliError> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(there) if force || there == text => Ok(()),
        _ if force && path.is_file() => Ok(()),
        _ => Err(CliError::bad_input(format!(
            "{} is there already: give another name, or --force to replace it",
            path.display()
        ))),
    }
}

fn next(path: &Path) -> String {
    let name = path.display();
    format!(
        "{name} is written. Next:\n  \
         ebbflow check {name}     # what it would run, or every problem at once\n  \
         ebbflow run {name}       # run it\n  \
         ebbflow list policies          # what may stand behind autoscaling_policy"
    )
}
