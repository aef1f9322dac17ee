//! Why something in a finished run was as it was: a request's time, a decision, an instance's life.
//!
//! Pure functions over a [`FinishedRun`] make values; [`text`](Explanation::text) and JSON are two views of them.
//! All that is said follows from the records of the run: what a request waited for is told from what others did
//! meanwhile on the same instance. Memory is in no record but the iteration logs, so without `debug` nothing is
//! said of it. Times are seconds of the run, spans whole nanoseconds.

mod clock;
mod decision;
mod facts;
mod hint;
mod instance;
mod overview;
mod request;
mod standing;
mod text;
mod waits;
mod waterfall;

pub use clock::Span;
pub use decision::{DecisionStory, Deed, Minute, Moved, Seen, decision};
pub use instance::{Hold, InstanceStory, Neighbour, instance};
pub use overview::{Acted, LongDrain, Overview, Slow, overview};
pub use request::{RequestStory, SentBack, request};
pub use standing::Standing;
pub use waits::{
    AtInstance, AtScheduler, Decoding, Detail, InstanceMeanwhile, MemorySeen, Prefilling, RequestMeanwhile,
};
pub use waterfall::{Part, PartKind};

use serde::Serialize;

use super::FinishedRun;
use crate::ids::{ApplicationId, InstanceId, RequestId};

/// What is to be explained.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Question {
    /// Where the time of a request went.
    Request(RequestId),
    /// What a policy saw and what came of it: a row of the decision log, from 1.
    Decision(usize),
    /// The life of an instance.
    Instance(InstanceId),
    /// Where to begin: what was slow, what acted, what took long.
    Overview,
}

/// An explanation.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(tag = "explains", rename_all = "snake_case")]
pub enum Explanation {
    /// Of a request.
    Request(Box<RequestStory>),
    /// Of a decision.
    Decision(Box<DecisionStory>),
    /// Of an instance.
    Instance(Box<InstanceStory>),
    /// Of nothing in particular.
    Overview(Overview),
}

/// Something that is not in the run.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotThere {
    /// No application with this number.
    #[error("there is no application {wanted}; the run has {known}")]
    Application {
        /// The one asked for.
        wanted: ApplicationId,
        /// Those there are.
        known: String,
    },
    /// No such number.
    #[error("there is no {what} {wanted} in the run; {known}")]
    Number {
        /// `request`, `decision` or `instance`.
        what: &'static str,
        /// The one asked for.
        wanted: u64,
        /// Which there are: the range, and the nearest.
        known: String,
    },
    /// The rows are not there.
    #[error(
        "the run kept no rows of its requests (--results summary), so nothing is known of single ones; run it without"
    )]
    NoRequests,
}

/// Answers a question about a run; `application` narrows it down where numbers are used twice.
///
/// # Errors
/// What is asked about is not in the run.
pub fn explain(
    run: &FinishedRun,
    question: Question,
    application: Option<ApplicationId>,
) -> Result<Explanation, NotThere> {
    Ok(match question {
        Question::Request(id) => Explanation::Request(Box::new(request(run, id, application)?)),
        Question::Decision(number) => Explanation::Decision(Box::new(decision(run, number, application)?)),
        Question::Instance(id) => Explanation::Instance(Box::new(instance(run, id, application)?)),
        Question::Overview => Explanation::Overview(overview(run)),
    })
}

impl Explanation {
    /// For people: aligned plain text.
    pub fn text(&self) -> String {
        match self {
            Explanation::Request(story) => text::request(story),
            Explanation::Decision(story) => text::decision(story),
            Explanation::Instance(story) => text::instance(story),
            Explanation::Overview(overview) => text::overview(overview),
        }
    }

    /// For programs.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("an explanation holds only strings and numbers")
    }
}
