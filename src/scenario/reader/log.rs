//! Collects what reading turns up beside the values.

use std::cell::RefCell;

use crate::scenario::problem::Problem;

/// Problems and notes, in the order they were found.
#[derive(Debug, Default)]
pub(in crate::scenario) struct Log {
    problems: RefCell<Vec<Problem>>,
    notes: RefCell<Vec<String>>,
}

impl Log {
    /// A log that already holds the problems found before reading.
    pub(in crate::scenario) fn with_problems(problems: Vec<Problem>) -> Self {
        Log { problems: RefCell::new(problems), notes: RefCell::default() }
    }

    /// Records a problem.
    pub(super) fn problem(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
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

    /// The problems and the notes.
    pub(in crate::scenario) fn into_parts(self) -> (Vec<Problem>, Vec<String>) {
        (self.problems.into_inner(), self.notes.into_inner())
    }
}
