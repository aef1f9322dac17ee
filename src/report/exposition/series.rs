//! Series of a family from what happened: sorted by series and scrape, then summed up scrape by scrape.

use std::io::{self, Write};

use ebbflow_actors::SimTime;

use super::scrapes::Scrapes;
use super::text::{Family, Kind, Text};

/// Who exposes a series: its labels, and when it is scraped.
#[derive(Clone, Debug)]
pub struct Source {
    /// As text.
    pub labels: String,
    /// When.
    pub scrapes: Scrapes,
}

/// Something that happened: at which source, seen from which scrape on.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Happening<V> {
    source: usize,
    scrape: u64,
    value: V,
}

/// What happened to the sources of a family.
#[derive(Clone, Debug)]
pub struct Series<'a, V> {
    sources: &'a [Source],
    happenings: Vec<Happening<V>>,
}

/// Equal observations: their size, and how many.
pub type Observations = (f64, u64);

impl<'a, V: Copy> Series<'a, V> {
    /// Nothing yet.
    pub fn of(sources: &'a [Source]) -> Self {
        Series { sources, happenings: Vec::new() }
    }

    /// This happened at the source in this place.
    pub fn note(&mut self, source: usize, time: SimTime, value: V) {
        let scrape = self.sources[source].scrapes.index(time);
        self.happenings.push(Happening { source, scrape, value });
    }

    /// What happened at each source, by scrape.
    fn by_source(&mut self) -> impl Iterator<Item = (&'a Source, &[Happening<V>])> {
        // Stable: observations are summed in the order they were made.
        self.happenings.sort_by_key(|happening| (happening.source, happening.scrape));
        let happenings = &self.happenings;
        self.sources.iter().enumerate().map(move |(place, source)| {
            let first = happenings.partition_point(|happening| happening.source < place);
            let count = happenings[first..].partition_point(|happening| happening.source == place);
            (source, &happenings[first..first + count])
        })
    }
}

impl Series<'_, i64> {
    /// So much more from then on, until then; none: for good.
    pub fn add(&mut self, source: usize, from: SimTime, to: Option<SimTime>, amount: i64) {
        self.note(source, from, amount);
        if let Some(to) = to {
            self.note(source, to, -amount);
        }
    }

    /// Writes the sums as a gauge or a counter; `shown` makes a value of the source's sum.
    pub fn write<W: Write>(
        mut self,
        text: &mut Text<'_, W>,
        kind: Kind,
        family: &Family,
        shown: impl Fn(usize, i64) -> f64,
    ) -> io::Result<()> {
        text.family(kind, family)?;
        let suffix = if kind == Kind::Counter { "_total" } else { "" };
        for (place, (source, happenings)) in self.by_source().enumerate() {
            let (mut rest, mut sum) = (happenings.iter().peekable(), 0);
            for scrape in 0..source.scrapes.count() {
                while let Some(happening) = rest.next_if(|happening| happening.scrape <= scrape) {
                    sum += happening.value;
                }
                let time = source.scrapes.time(scrape);
                text.sample((family.name, suffix), &source.labels, shown(place, sum), time)?;
            }
        }
        Ok(())
    }
}

impl Series<'_, Observations> {
    /// Writes the observations as a histogram with these upper bounds; a source without any has none.
    pub fn write<W: Write>(
        mut self,
        text: &mut Text<'_, W>,
        family: &Family,
        bounds: &[f64],
    ) -> io::Result<()> {
        text.family(Kind::Histogram, family)?;
        for (source, happenings) in self.by_source().filter(|(_, happenings)| !happenings.is_empty()) {
            let bound_labels = bounds.iter().map(|bound| format!("{},le=\"{bound:?}\"", source.labels));
            let bound_labels: Vec<String> =
                bound_labels.chain([format!("{},le=\"+Inf\"", source.labels)]).collect();
            let mut rest = happenings.iter().peekable();
            let (mut counts, mut sum) = (vec![0_u64; bounds.len() + 1], 0.0);
            for scrape in 0..source.scrapes.count() {
                while let Some(Happening { value: (size, count), .. }) =
                    rest.next_if(|happening| happening.scrape <= scrape)
                {
                    counts[bounds.partition_point(|bound| bound < size)] += count;
                    sum += size * *count as f64;
                }
                let time = source.scrapes.time(scrape);
                let mut up_to = 0;
                for (count, labels) in counts.iter().zip(&bound_labels) {
                    up_to += count;
                    text.sample((family.name, "_bucket"), labels, up_to, time)?;
                }
                text.sample((family.name, "_count"), &source.labels, up_to, time)?;
                text.sample((family.name, "_sum"), &source.labels, sum, time)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ebbflow_actors::SimDuration;

    fn at(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * 1_000_000_000)
    }

    fn source() -> Source {
        let scrapes = Scrapes::new(at(0), at(15), SimDuration::from_secs(10));
        Source { labels: "engine=\"0\"".to_owned(), scrapes }
    }

    const FAMILY: Family = Family { name: "x", unit: "", help: "An x." };

    fn lines(write: impl FnOnce(&mut Text<'_, Vec<u8>>)) -> Vec<String> {
        let mut out = Vec::new();
        write(&mut Text::new(&mut out));
        let text = String::from_utf8(out).unwrap();
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    }

    #[test]
    fn a_gauge_shows_what_is_there_at_each_scrape() {
        let sources = [source()];
        let mut series = Series::of(&sources);
        series.add(0, at(3), Some(at(12)), 2);
        series.add(0, at(11), None, 1);
        let lines = lines(|text| series.write(text, Kind::Gauge, &FAMILY, |_, sum| sum as f64).unwrap());
        assert_eq!(lines, ["x{engine=\"0\"} 0 0", "x{engine=\"0\"} 2 10", "x{engine=\"0\"} 1 15"]);
    }

    #[test]
    fn buckets_count_all_that_is_not_above_their_bound() {
        let sources = [source()];
        let mut series = Series::of(&sources);
        for (time, size, count) in [(9, 1.0, 1), (4, 0.5, 2), (13, 7.0, 1)] {
            series.note(0, at(time), (size, count));
        }
        let lines = lines(|text| series.write(text, &FAMILY, &[1.0, 2.5]).unwrap());
        assert_eq!(
            lines[5..10],
            [
                "x_bucket{engine=\"0\",le=\"1.0\"} 3 10",
                "x_bucket{engine=\"0\",le=\"2.5\"} 3 10",
                "x_bucket{engine=\"0\",le=\"+Inf\"} 3 10",
                "x_count{engine=\"0\"} 3 10",
                "x_sum{engine=\"0\"} 2 10",
            ]
        );
        assert_eq!(lines[12], "x_bucket{engine=\"0\",le=\"+Inf\"} 4 15");
    }
}
