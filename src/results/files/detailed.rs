//! `detailed/{app}.csv`: one row a completed request, in order of completion. Sizes are tokens, the
//! rest are seconds. What the columns mean is said by [`COLUMNS`], which `summary.csv` sums up.

use std::path::Path;

use super::WriteError;
use super::rows::Rows;
use crate::ids::ApplicationId;
use crate::results::{COLUMNS, Served};

/// The open file of one application.
#[derive(Debug)]
pub struct Detailed(Rows);

impl Detailed {
    pub fn create(directory: &Path, application: ApplicationId) -> Result<Self, WriteError> {
        let path = directory.join(format!("detailed/{application}.csv"));
        Ok(Detailed(Rows::create(&path, &COLUMNS.map(|column| column.name))?))
    }

    pub fn row(&mut self, served: &Served) -> Result<(), WriteError> {
        let Detailed(rows) = self;
        // Of a number a float cannot hold, the float is written, as the columns have it.
        rows.cell(served.id as f64);
        rows.cell(served.e2e);
        rows.cell(served.queue);
        rows.cell(served.ttft);
        rows.cell(served.tbt_s());
        rows.cell(served.nth_token_overhead);
        rows.cell(served.prompt_tokens);
        rows.cell(served.output_tokens);
        rows.end_row()
    }

    pub fn finish(self) -> Result<(), WriteError> {
        self.0.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ebbflow_actors::SimDuration;

    #[test]
    fn every_cell_is_the_value_of_its_column() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("detailed")).unwrap();
        let span = SimDuration::from_nanos;
        let served = Served {
            id: u64::MAX,
            e2e: span(12_345_678_901),
            ttft: span(2_000_000_000),
            queue: span(1),
            nth_token_overhead: span(30_500_000),
            prompt_tokens: 1_234,
            output_tokens: 56,
            longest_gap: span(31_000_000),
        };
        let mut file = Detailed::create(home.path(), ApplicationId(3)).unwrap();
        file.row(&served).unwrap();
        file.finish().unwrap();
        let text = std::fs::read_to_string(home.path().join("detailed/3.csv")).unwrap();
        let cells: Vec<&str> = text.lines().nth(1).unwrap().split(',').collect();
        assert_eq!(cells, COLUMNS.map(|column| (column.value)(&served).to_string()));
    }
}
