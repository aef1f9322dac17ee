//! The fleet over time as a line of blocks per status, for terminals.
//!
//! Every column is a span of simulated time, its height the mean number of instances in that status,
//! rounded up so that a short start or drain still shows. All lines share one scale: the highest peak.

use ebbflow_actors::SimTime;

use super::InstanceRecord;
use super::statuses::{Status, Stretch, stretches};

const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The time an instance spent in a status, in nanoseconds: from, to.
type Span = (u64, u64);

/// The statuses in the order of their lines.
const STATUSES: [Status; 3] = [Status::Active, Status::Starting, Status::Draining];

/// One line of the chart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The status.
    pub status: &'static str,
    /// One block a column.
    pub blocks: String,
    /// Most instances at once.
    pub peak: u64,
}

/// The lines of the statuses that occurred, so many blocks long; none for a run without time.
pub fn lines<'a>(
    instances: impl Iterator<Item = &'a InstanceRecord> + Clone,
    end: SimTime,
    columns: usize,
) -> Vec<Line> {
    let spans = STATUSES.map(|status| {
        let stretches = instances.clone().flat_map(stretches).filter(|stretch| stretch.status == status);
        let span = |stretch: Stretch| (stretch.from.as_nanos(), stretch.to.unwrap_or(end).as_nanos());
        let spans: Vec<Span> = stretches.map(span).filter(|(from, to)| from < to).collect();
        (status.name(), peak(&spans), spans)
    });
    let scale = spans.iter().map(|(_, peak, _)| *peak).max().unwrap_or(0);
    let occurred = spans.into_iter().filter(|(_, peak, _)| *peak > 0);
    occurred
        .map(|(status, peak, spans)| Line { status, blocks: blocks(&spans, end, columns, scale), peak })
        .collect()
}

/// The most spans that overlap.
fn peak(spans: &[Span]) -> u64 {
    let mut changes: Vec<(u64, i64)> = spans.iter().flat_map(|(from, to)| [(*from, 1), (*to, -1)]).collect();
    changes.sort_unstable();
    let counts = changes.iter().scan(0, |count: &mut i64, (_, change)| {
        *count += change;
        Some(*count)
    });
    counts.max().unwrap_or(0).unsigned_abs()
}

fn blocks(spans: &[Span], end: SimTime, columns: usize, scale: u64) -> String {
    let width = end.as_nanos().div_ceil(columns as u64).max(1);
    let mut filled = vec![0u128; columns];
    for &(from, to) in spans {
        let last = (to - 1) / width;
        for column in from / width..=last.min(columns as u64 - 1) {
            let (start, stop) = (column * width, (column + 1) * width);
            filled[column as usize] += u128::from(to.min(stop) - from.max(start));
        }
    }
    // The last column may reach beyond the end; it is full when it is full up to there.
    let length = |column: usize| (end.as_nanos().saturating_sub(column as u64 * width)).min(width).max(1);
    let level = |(column, sum): (usize, u128)| {
        let full = u128::from(length(column)) * u128::from(scale);
        BLOCKS[(sum * 8).div_ceil(full).min(8) as usize]
    };
    filled.into_iter().enumerate().map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn at(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn a_steady_fleet_is_a_full_line() {
        let mut instance = samples::instance(0);
        instance.active = Some(SimTime::ZERO);
        let lines = lines([instance.clone(), instance].iter(), at(61), 60);
        assert_eq!(lines.len(), 1);
        assert_eq!((lines[0].status, lines[0].peak), ("active", 2));
        assert!(lines[0].blocks.chars().all(|block| block == '█'), "{}", lines[0].blocks);
    }

    #[test]
    fn starts_and_drains_show_where_they_happen() {
        let mut instance = samples::instance(0);
        instance.created = at(10);
        instance.active = Some(at(20));
        instance.draining = Some(at(40));
        instance.removed = Some(at(41));
        let lines = lines([instance].iter(), at(60), 60);
        let spans: Vec<(&str, Option<usize>, usize)> = lines
            .iter()
            .map(|line| {
                let filled = line.blocks.chars().filter(|block| *block != ' ').count();
                (line.status, line.blocks.chars().position(|block| block != ' '), filled)
            })
            .collect();
        assert_eq!(spans, [("active", Some(20), 20), ("starting", Some(10), 10), ("draining", Some(40), 1)]);
    }

    #[test]
    fn a_cancelled_start_was_never_active() {
        let mut instance = samples::instance(0);
        instance.active = None;
        instance.draining = Some(at(5));
        instance.removed = Some(at(6));
        let lines = lines([instance].iter(), at(60), 60);
        assert_eq!(lines.iter().map(|line| line.status).collect::<Vec<_>>(), ["starting", "draining"]);
    }

    #[test]
    fn a_run_without_time_has_no_chart() {
        assert!(lines([samples::instance(0)].iter(), SimTime::ZERO, 60).is_empty());
    }
}
