//! `ebbflow schema`: the JSON Schema of scenarios, for editors.

use std::process::ExitCode;

use crate::registry::Registry;
use crate::schema;

use super::exit::CliError;
use super::print;

/// Arguments of `ebbflow schema`.
#[derive(clap::Args, Debug)]
pub struct SchemaArgs {}

/// Prints the schema.
pub fn schema(_: &SchemaArgs) -> Result<ExitCode, CliError> {
    print::stdout(&schema::scenario_text(&Registry::builtin())).map_err(CliError::failed)?;
    Ok(ExitCode::SUCCESS)
}
