//! Many points in a CSV file: read, answered, written with new columns.

use std::path::Path;

use csv::{Position, ReaderBuilder, StringRecord, Trim};

use super::answer::Answer;
use super::point::{Catalogue, NEEDED, OPTIONAL, Point, Words, Wrong};
use crate::cli::exit::CliError;
use crate::diagnosis::{Excerpt, Finding, Findings, HeaderProblem, Layout, cell};

/// A file must have these columns, in any order.
const LAYOUT: Layout = Layout {
    name: "file of points",
    first_line: "model,gpu,engine,precision,tensor_parallel,isl,osl,concurrency",
    columns: &NEEDED,
    foreign: None,
};
/// Columns a file gets; where it has one already its values are replaced.
const ADDED: [&str; 5] = ["ttft_ms", "tpot_ms", "output_tokens_per_s", "kv_capacity_tokens", "fits"];
/// Problems shown before the rest is only counted.
const SHOWN: usize = 10;

/// A file of points.
pub struct Table {
    header: StringRecord,
    rows: Vec<(StringRecord, Point)>,
}

/// The text of a file, to point at what is wrong with it.
struct Source<'a> {
    file: String,
    text: &'a str,
    header: &'a StringRecord,
}

impl Table {
    /// Reads the file; all wrong values are reported at once, each where it stands.
    pub fn read(path: &Path, catalogue: &mut Catalogue) -> Result<Self, CliError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| CliError::bad_input(format!("the points {file} cannot be read: {error}")))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(text.as_bytes());
        // A header that is no CSV lacks all columns.
        let header = reader.headers().cloned().unwrap_or_default();
        let source = Source { file, text, header: &header };
        source.check_header()?;
        let (mut rows, mut problems) = (Vec::new(), Vec::new());
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    problems.push(source.malformed(&error));
                    continue;
                }
            };
            match catalogue.point(&words(&header, &record)) {
                Ok(point) => rows.push((record, point)),
                Err(wrong) => problems.push(source.wrong(record.position(), &wrong)),
            }
        }
        source.check(problems)?;
        Ok(Table { header, rows })
    }

    /// One answer a row.
    pub fn answers(&self) -> impl Iterator<Item = Answer<'_>> {
        self.rows.iter().map(|(_, point)| Answer::to(point))
    }

    /// The file with its new columns. Times of what does not fit stay empty.
    pub fn csv(&self) -> Result<String, Box<dyn std::error::Error>> {
        let kept: Vec<usize> =
            (0..self.header.len()).filter(|&index| !ADDED.contains(&&self.header[index])).collect();
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(kept.iter().map(|&index| &self.header[index]).chain(ADDED))?;
        for ((record, _), answer) in self.rows.iter().zip(self.answers()) {
            let times = answer
                .served
                .as_ref()
                .map(|served| [served.ttft_s * 1e3, served.tpot_s * 1e3, served.output_tokens_per_s]);
            let times = times.map_or_else(Default::default, |times| times.map(|time| format!("{time:.3}")));
            let rest = [answer.memory.capacity_tokens().to_string(), answer.fits().to_string()];
            let kept = kept.iter().map(|&index| record.get(index).unwrap_or_default());
            writer.write_record(kept.chain(times.iter().chain(&rest).map(String::as_str)))?;
        }
        Ok(String::from_utf8(writer.into_inner()?)?)
    }
}

impl Source<'_> {
    fn check_header(&self) -> Result<(), CliError> {
        let has = |needed: &&str| self.header.iter().any(|name| name == *needed);
        if NEEDED.iter().all(has) {
            return Ok(());
        }
        let (number, line) = self.line_at(0);
        let problem = HeaderProblem::new("file of points", &self.file, number, line, &[LAYOUT]);
        Err(CliError::Findings(Findings {
            headline: "the points cannot be read".to_owned(),
            list: vec![problem.finding()],
            closing: None,
        }))
    }

    fn check(&self, mut problems: Vec<Finding>) -> Result<(), CliError> {
        let (count, more) = (problems.len(), problems.len().saturating_sub(SHOWN));
        if count == 0 {
            return Ok(());
        }
        problems.truncate(SHOWN);
        let points = if count == 1 { "point" } else { "points" };
        Err(CliError::Findings(Findings {
            headline: format!("{count} {points} of {} cannot be estimated", self.file),
            list: problems,
            closing: (more > 0).then(|| format!("and {more} more")),
        }))
    }

    /// The cell of a row that is wrong, or all of it if that is in no cell.
    fn wrong(&self, position: Option<&Position>, Wrong { column, problem }: &Wrong) -> Finding {
        let (number, line) = self.line_at(position.map_or(0, Position::byte));
        let index = self.header.iter().position(|name| name == *column);
        let place = index.map_or(0..line.len(), |index| cell(line, index));
        let excerpt = Some(Excerpt::of_line(&self.file, number, line, vec![place.into()]));
        Finding { message: format!("{column}: {problem}"), excerpt, help: None }
    }

    fn malformed(&self, error: &csv::Error) -> Finding {
        let (number, line) = self.line_at(error.position().map_or(0, Position::byte));
        let excerpt = Some(Excerpt::of_line(&self.file, number, line, vec![(0..line.len()).into()]));
        let help = Some("write as many comma-separated fields as the first line has".to_owned());
        Finding { message: format!("the line is no row of this file: {error}"), excerpt, help }
    }

    /// The line that begins at this byte, or behind the line ends there, which the reader of CSV skips.
    fn line_at(&self, byte: u64) -> (u64, &str) {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX).min(self.text.len());
        let ends = self.text.as_bytes()[byte..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
        let begin = byte + ends.count();
        let number = self.text[..begin].matches('\n').count() as u64 + 1;
        (number, self.text[begin..].lines().next().unwrap_or_default())
    }
}

fn words(header: &StringRecord, record: &StringRecord) -> Words {
    let said = |column: &'static str| {
        let index = header.iter().position(|name| name == column)?;
        Some((column, record.get(index)?.to_owned()))
    };
    NEEDED.into_iter().chain(OPTIONAL).filter_map(said).collect()
}
