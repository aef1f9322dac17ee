//! What the instances of an application worked on, piece by piece: the runs of iterations where the run kept
//! them, else the stretches in which prompts, decodes, or both were under way.

use ebbflow_actors::{SimDuration, SimTime};

use crate::ids::InstanceId;
use crate::report::journey::{Phase, stays};
use crate::results::{ApplicationResults, IterationRow};

/// A piece of work on an instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    /// Where.
    pub instance: InstanceId,
    /// From then on.
    pub start: SimTime,
    /// Until then.
    pub end: SimTime,
    /// Whether prompts were computed.
    pub prefill: bool,
    /// Whether further tokens were.
    pub decode: bool,
    /// Prompt tasks begun.
    pub prefills: u64,
    /// Token tasks begun, as far as journals tell.
    pub decodes: u64,
    /// Iterations, if rows of them are there.
    pub iterations: u64,
    /// Tokens computed in them.
    pub tokens: u64,
    /// Tasks at once, at most.
    pub tasks: u64,
}

impl Piece {
    /// How long.
    pub fn span(&self) -> SimDuration {
        self.end - self.start
    }
}

/// The work of an application's instances.
pub struct Work<'a> {
    /// Whose.
    pub application: &'a ApplicationResults,
    /// When the run ended.
    pub end: SimTime,
    /// From journals; where there are rows: none.
    stretches: Vec<Piece>,
}

impl<'a> Work<'a> {
    /// All there is.
    pub fn of(application: &'a ApplicationResults, end: SimTime) -> Self {
        let stretches =
            if application.iterations.is_empty() { from_journals(application, end) } else { Vec::new() };
        Work { application, end, stretches }
    }

    /// Whether it comes from rows of iterations.
    pub fn has_iterations(&self) -> bool {
        !self.application.iterations.is_empty()
    }

    /// By instance and time.
    pub fn pieces(&self) -> impl Iterator<Item = Piece> {
        self.application.iterations.iter().map(from_row).chain(self.stretches.iter().copied())
    }
}

fn from_row(row: &IterationRow) -> Piece {
    Piece {
        instance: row.instance,
        start: row.start,
        end: row.end,
        prefill: row.prompt_tasks > 0,
        decode: row.batch_size > row.prompt_tasks,
        prefills: u64::from(row.prompt_tasks),
        decodes: 0,
        iterations: row.iterations,
        tokens: row.batch_tokens * row.iterations,
        tasks: u64::from(row.batch_size),
    }
}

/// A task that begins or ends; at the same time, ends come first.
type Edge = (InstanceId, SimTime, bool, Phase);

fn from_journals(application: &ApplicationResults, end: SimTime) -> Vec<Piece> {
    let mut edges: Vec<Edge> = Vec::new();
    for stay in application.requests.iter().flat_map(stays) {
        if let (Phase::Prefill | Phase::Decode, Some(instance)) = (stay.phase, stay.instance) {
            edges.push((instance, stay.from, true, stay.phase));
            edges.push((instance, stay.to.unwrap_or(end), false, stay.phase));
        }
    }
    edges.sort_unstable();
    let instances = edges.chunk_by(|a, b| a.0 == b.0);
    instances.flat_map(sweep).collect()
}

/// The stretches of one instance, from the beginnings and ends of its tasks.
fn sweep(edges: &[Edge]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let (mut prefills, mut decodes) = (0_u64, 0_u64);
    for now in edges.chunk_by(|a, b| a.1 == b.1) {
        let before = (prefills > 0, decodes > 0);
        let (instance, time, ..) = now[0];
        let begun = |phase| now.iter().filter(|edge| edge.2 && edge.3 == phase).count() as u64;
        let ended = |phase| now.iter().filter(|edge| !edge.2 && edge.3 == phase).count() as u64;
        let (new_prefills, new_decodes) = (begun(Phase::Prefill), begun(Phase::Decode));
        prefills = prefills + new_prefills - ended(Phase::Prefill);
        decodes = decodes + new_decodes - ended(Phase::Decode);
        let busy = before != (false, false);
        if let Some(piece) = pieces.last_mut().filter(|_| busy) {
            piece.end = time;
        }
        let (prefill, decode) = (prefills > 0, decodes > 0);
        if (prefill, decode) == (false, false) {
            continue;
        }
        if (prefill, decode) != before {
            let (start, end, tasks) = (time, time, 0);
            let (iterations, tokens) = (0, 0);
            pieces.push(Piece {
                instance,
                start,
                end,
                prefill,
                decode,
                prefills: 0,
                decodes: 0,
                iterations,
                tokens,
                tasks,
            });
        }
        if let Some(piece) = pieces.last_mut() {
            piece.prefills += new_prefills;
            piece.decodes += new_decodes;
            piece.tasks = piece.tasks.max(prefills + decodes);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(time: u64, begins: bool, phase: Phase) -> Edge {
        (InstanceId(3), SimTime::from_nanos(time), begins, phase)
    }

    #[test]
    fn stretches_are_as_long_as_the_kind_of_work_is_the_same() {
        let (prefill, decode) = (Phase::Prefill, Phase::Decode);
        let pieces = sweep(&[
            edge(10, true, prefill),
            edge(20, false, prefill),
            edge(20, true, decode),
            edge(30, true, decode),
            edge(40, true, prefill),
            edge(50, false, prefill),
            edge(60, false, decode),
            edge(60, false, decode),
            edge(90, true, decode),
            edge(95, false, decode),
        ]);
        let told: Vec<_> = pieces
            .iter()
            .map(|p| {
                (p.start.as_nanos(), p.end.as_nanos(), p.prefill, p.decode, p.prefills, p.decodes, p.tasks)
            })
            .collect();
        let expected = [
            (10, 20, true, false, 1, 0, 1),
            (20, 40, false, true, 0, 2, 2),
            (40, 50, true, true, 1, 0, 3),
            (50, 60, false, true, 0, 0, 2),
            (90, 95, false, true, 0, 1, 1),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_task_that_follows_another_of_its_kind_at_once_is_the_same_stretch() {
        let pieces = sweep(&[
            edge(10, true, Phase::Decode),
            edge(20, false, Phase::Decode),
            edge(20, true, Phase::Decode),
            edge(30, false, Phase::Decode),
        ]);
        assert_eq!(pieces.len(), 1);
        assert_eq!((pieces[0].decodes, pieces[0].tasks), (2, 1));
    }
}
