//! `ebbflow explain`: why something in a finished run was as it was.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::ids::{ApplicationId, InstanceId, RequestId};
use crate::registry::Registry;
use crate::report::FinishedRun;
use crate::report::explain::{Question, explain as answer};

use super::exit::CliError;
use super::options::Format;
use super::print;

/// Arguments of `ebbflow explain`.
#[derive(clap::Args, Debug)]
#[command(group = clap::ArgGroup::new("question").args(["request", "decision", "instance"]))]
pub struct ExplainArgs {
    /// The directory of the run; without a further option: what is worth a question
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Where the time of this request went
    #[arg(long, value_name = "ID")]
    request: Option<u64>,
    /// What a policy saw and what came of it: a row of scaling/APP_decisions.csv, from 1
    #[arg(long, value_name = "N")]
    decision: Option<usize>,
    /// The life of this instance, and what held up its drain
    #[arg(long, value_name = "ID")]
    instance: Option<u32>,
    /// Of this application, where several have such a number [default: the first that does]
    #[arg(long, value_name = "A", requires = "question")]
    application: Option<u32>,
    /// What to print on stdout: text for people, or JSON
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Opens the run and answers.
pub fn explain(arguments: &ExplainArgs) -> Result<ExitCode, CliError> {
    let run = FinishedRun::open(&arguments.directory, &Registry::builtin()).map_err(CliError::bad_input)?;
    let application = arguments.application.map(ApplicationId);
    let explanation = answer(&run, arguments.question(), application).map_err(CliError::bad_input)?;
    let text = match arguments.format {
        Format::Text => explanation.text(),
        Format::Json => explanation.to_json(),
    };
    print::stdout(&text).map_err(CliError::failed)?;
    Ok(ExitCode::SUCCESS)
}

impl ExplainArgs {
    fn question(&self) -> Question {
        match (self.request, self.decision, self.instance) {
            (Some(id), ..) => Question::Request(RequestId(id)),
            (_, Some(number), _) => Question::Decision(number),
            (.., Some(id)) => Question::Instance(InstanceId(id)),
            _ => Question::Overview,
        }
    }
}
