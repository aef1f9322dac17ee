//! Collects what reading turns up beside the values.

use std::cell::RefCell;

use crate::diagnosis::Findings;
use crate::scenario::problem::Problem;

/// Problems and notes, in the order they were found.
#[derive(Debug, Default)]
pub(in crate::scenario) struct Log {
    problems: RefCell<Vec<Problem>>,
    elsewhere: RefCell<Vec<Findings>>,
    notes: RefCell<Vec<String>>,
}

impl Log {
    /// A log that already holds the problems found before reading.
    pub(in crate::scenario) fn with_problems(problems: Vec<Problem>) -> Self {
        Log { problems: RefCell::new(problems), ..Log::default() }
    }

    /// Records a problem.
    pub(super) fn problem(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    /// Records what is wrong with a file that the scenario names, beside the problem with its name.
    pub(in crate::scenario) fn elsewhere(&self, findings: Findings) {
        self.elsewhere.borrow_mut().push(findings);
    }

    /// Something the reader should know; said once.
    pub(in crate::scenario) fn note(&self, text: impl Into<String>) {
        let (text, mut notes) = (text.into(), self.notes.borrow_mut());
        if !notes.contains(&text) {
            notes.push(text);
        }
    }

    pub(in crate::scenario) fn is_clean(&self) -> bool {
        self.problems.borrow().is_empty()
    }

    /// The problems, those in other files, and the notes.
    pub(in crate::scenario) fn into_parts(self) -> (Vec<Problem>, Vec<Findings>, Vec<String>) {
        (self.problems.into_inner(), self.elsewhere.into_inner(), self.notes.into_inner())
    }
}
