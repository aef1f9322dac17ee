//! `scheduled`: sizes by the clock, as a cron table has them; `periodic`: the same in the words of
//! splitwise-DRL.
//!
//! A row says from when on which pools have which sizes; they hold until another row names the pool. `at` is a
//! time of day (`09:00`) or an offset (`90`, `5min`) into the period, which is a day unless `period` says
//! otherwise; with `period: 0` nothing is repeated, and offsets count from the beginning. `weekdays` (`mon-fri`,
//! `sat,sun`) limit a row to these days. The run begins at `starts_at`. Before its first row a pool has the
//! size of the last one before, of yesterday or last week.
//!
//! `periodic` in the original answers "no change" together with its sizes, and so never scales; here it does.
//! Its rows end with `until_…`; the size stays if no other row begins there. Current are those asked for.
//!
//! Leaves out: dates, months, time zones.

use ebbflow_actors::SimDuration;
use jiff::SignedDuration;
use jiff::civil::Time;

use crate::ids::Tag;
use crate::registry::{Kind, Parameter, Registry, Settings};
use crate::scaling::{
    AutoscalingPolicy, Decision, Governs, Observation, PolicyContext, PolicyKind, PolicyRefusal, Target,
};

const DAY_S: f64 = 86_400.0;
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

const ROW: &[Parameter] = &[
    Parameter::text(
        "at",
        "0",
        "from when on: a time of day (`09:00`), or an offset into the period (`5min`)",
    ),
    Parameter::text("weekdays", "", "on which days (`mon-fri`, `sat,sun`); unless given, on all"),
    Parameter::optional("instances", "instances without a tag").unit("instances"),
    Parameter::optional("prompt", "prompt instances").unit("instances"),
    Parameter::optional("token", "token instances").unit("instances"),
    Parameter::optional("mixed", "mixed instances").unit("instances"),
];

const PARAMETERS: &[Parameter] = &[
    Parameter::rows("rows", ROW, "which sizes hold from when on"),
    Parameter::seconds("period", DAY_S, "after which the rows come again; 0: never"),
    Parameter::text("starts_at", "mon 00:00", "weekday and time of day at which the run begins"),
    Parameter::seconds("ahead", 0.0, "how long before its time a row is acted on, say for a slow start"),
];

const SOURCE: &str = "splitwise-DRL, default of the class";
const PERIODIC_ROW: &[Parameter] = &[
    Parameter::number("from_hour", 0.0, "hour at which it begins").unit("h").at_most(24.0),
    Parameter::number("from_minute", 0.0, "minute at which it begins").unit("min").at_most(59.0),
    Parameter::number("until_hour", 24.0, "hour at which it ends").unit("h").at_most(24.0),
    Parameter::number("until_minute", 0.0, "minute at which it ends").unit("min").at_most(59.0),
    Parameter::number("prompt", 1.0, "prompt instances").unit("instances"),
    Parameter::number("token", 1.0, "token instances").unit("instances"),
];
const PERIODIC: &[Parameter] = &[Parameter::rows(
    "schedule",
    PERIODIC_ROW,
    "unless given, 30 prompt and 100 token instances from 09:00 to 23:00, else 10 and 20",
)
.from(SOURCE)];

pub(super) fn register(registry: &mut Registry) {
    let scheduled = Kind {
        name: "scheduled",
        aliases: &["ScheduledPolicy", "cron"],
        about: "sizes by time of day, weekday or offset",
        parameters: PARAMETERS,
    };
    let kind = PolicyKind { governs: Governs::Fleet, ..scheduled.into() };
    registry.add_policy(kind, |settings, context| Ok(Box::new(Timetable::read(settings)?.of(context)?)));
    let periodic = Kind {
        name: "periodic",
        aliases: &["PeriodicPolicy"],
        about: "prompt and token instances by time of day",
        parameters: PERIODIC,
    };
    let kind = PolicyKind { governs: Governs::Fleet, ..periodic.into() };
    registry.add_policy(kind, |settings, context| Ok(Box::new(Timetable::periodic(settings).of(context)?)));
}

/// Which sizes hold when.
#[derive(Clone, PartialEq, Debug)]
pub struct Timetable {
    rows: Vec<Row>,
    period_s: f64,
    /// From Monday, 00:00, to the beginning of the run; 0 where the period is no day.
    begin_s: f64,
    ahead_s: f64,
}

#[derive(Clone, PartialEq, Debug)]
struct Row {
    at_s: f64,
    /// From Monday on; all, unless the period is a day.
    days: [bool; 7],
    sizes: Vec<(Option<Tag>, u32)>,
}

impl Timetable {
    /// From the parameters of `scheduled`.
    pub fn read(settings: &Settings) -> Result<Self, PolicyRefusal> {
        let period_s = settings.number("period");
        let is_daily = period_s == DAY_S;
        let rows = settings.rows("rows");
        if rows.is_empty() {
            return Err(PolicyRefusal(
                "it has no `rows`; give one at least, e.g. {at: 09:00, instances: 4}".into(),
            ));
        }
        let rows = rows.iter().map(|row| Row::read(row, period_s)).collect::<Result<_, _>>()?;
        let begin_s = if is_daily { moment_of_week(settings.text("starts_at"))? } else { 0.0 };
        Ok(Timetable { rows, period_s, begin_s, ahead_s: settings.number("ahead") })
    }

    /// From the parameters of `periodic`.
    pub fn periodic(settings: &Settings) -> Self {
        let row = |at_s: f64, prompt: u32, token: u32| Row {
            at_s,
            days: [true; 7],
            sizes: vec![(Some(Tag::Prompt), prompt), (Some(Tag::Token), token)],
        };
        let rows = settings.rows("schedule").iter().map(|given| {
            let at_s = given.number("from_hour") * 3600.0 + given.number("from_minute") * 60.0;
            row(at_s % DAY_S, given.count("prompt"), given.count("token"))
        });
        let mut rows: Vec<Row> = rows.collect();
        if rows.is_empty() {
            rows = vec![row(9.0 * 3600.0, 30, 100), row(23.0 * 3600.0, 10, 20)];
        }
        Timetable { rows, period_s: DAY_S, begin_s: 0.0, ahead_s: 0.0 }
    }

    /// Sizes that hold so long after the beginning of the run, by pool in the order they are named.
    pub fn sizes(&self, elapsed_s: f64) -> Vec<(Option<Tag>, u32)> {
        let now_s = self.begin_s + elapsed_s + self.ahead_s;
        let mut latest: Vec<(Option<Tag>, u32, f64)> = Vec::new();
        for row in &self.rows {
            let Some(began_s) = self.began_s(row, now_s) else { continue };
            for &(tag, size) in &row.sizes {
                match latest.iter_mut().find(|(known, ..)| *known == tag) {
                    Some(known) if began_s >= known.2 => *known = (tag, size, began_s),
                    Some(_) => {}
                    None => latest.push((tag, size, began_s)),
                }
            }
        }
        latest.into_iter().map(|(tag, size, _)| (tag, size)).collect()
    }

    /// When a row last began to hold.
    fn began_s(&self, row: &Row, now_s: f64) -> Option<f64> {
        if self.period_s == 0.0 {
            return (row.at_s <= now_s).then_some(row.at_s);
        }
        let latest = ((now_s - row.at_s) / self.period_s).floor();
        let periods = (0..7).map(|back| latest - f64::from(back));
        let mut held = periods.filter(|period| row.days[period.rem_euclid(7.0) as usize]);
        held.next().map(|period| period * self.period_s + row.at_s)
    }

    /// The same, if it names only pools of this fleet.
    fn of(self, context: &PolicyContext) -> Result<Self, PolicyRefusal> {
        let name = |tag: Option<Tag>| tag.map_or("instances", Tag::name);
        let mut named = self.rows.iter().flat_map(|row| &row.sizes);
        let stranger = named.find(|(tag, _)| !context.pools.iter().any(|pool| pool.tag == *tag));
        let Some(&(tag, _)) = stranger else { return Ok(self) };
        let pools: Vec<&str> = context.pools.iter().map(|pool| name(pool.tag)).collect();
        let pools = pools.join("` and `");
        Err(PolicyRefusal(format!(
            "a row names `{}`, which this fleet does not have; it has `{pools}`",
            name(tag)
        )))
    }
}

impl Row {
    fn read(row: &Settings, period_s: f64) -> Result<Self, PolicyRefusal> {
        let pools = [
            ("instances", None),
            ("prompt", Some(Tag::Prompt)),
            ("token", Some(Tag::Token)),
            ("mixed", Some(Tag::Mixed)),
        ];
        let size = |(name, tag)| row.optional(name).map(|size| (tag, size as u32));
        let sizes: Vec<_> = pools.into_iter().filter_map(size).collect();
        let at = row.text("at");
        let at_s = offset_s(at).ok_or_else(|| {
            PolicyRefusal(format!(
                "`at: {at}` is no time; write a time of day (`09:00`) or an offset (`90`, `5min`)"
            ))
        })?;
        if sizes.is_empty() {
            return Err(PolicyRefusal(format!(
                "the row at {at} names no size; give `instances`, `prompt`, `token` or `mixed`"
            )));
        }
        if period_s > 0.0 && at_s >= period_s {
            return Err(PolicyRefusal(format!("`at: {at}` is not within the period of {period_s} s")));
        }
        let weekdays = row.text("weekdays");
        if !weekdays.is_empty() && period_s != DAY_S {
            return Err(PolicyRefusal("`weekdays` need a period of a day; leave `period` out".into()));
        }
        Ok(Row { at_s, days: days(weekdays)?, sizes })
    }
}

/// Seconds of a time of day or an offset.
fn offset_s(text: &str) -> Option<f64> {
    let text = text.trim();
    if text.contains(':') {
        let padded = if text.find(':') == Some(1) { format!("0{text}") } else { text.to_owned() };
        let time: Time = padded.parse().ok()?;
        return Some(
            f64::from(time.hour()) * 3600.0 + f64::from(time.minute()) * 60.0 + f64::from(time.second()),
        );
    }
    let seconds =
        text.parse().ok().or_else(|| text.parse::<SignedDuration>().ok().map(|span| span.as_secs_f64()));
    seconds.filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0)
}

/// `mon 09:30` as seconds since Monday, 00:00.
fn moment_of_week(text: &str) -> Result<f64, PolicyRefusal> {
    let read = || {
        let (day, time) = text.trim().split_once(' ')?;
        Some(weekday(day)? as f64 * DAY_S + offset_s(time)?)
    };
    read().ok_or_else(|| {
        PolicyRefusal(format!("`starts_at: {text}` is no moment of a week; write e.g. `mon 09:00`"))
    })
}

fn weekday(text: &str) -> Option<usize> {
    let text = text.trim().to_ascii_lowercase();
    WEEKDAYS.iter().position(|day| *day == text)
}

/// `mon-fri,sun` from Monday on; nothing means all.
fn days(text: &str) -> Result<[bool; 7], PolicyRefusal> {
    if text.is_empty() {
        return Ok([true; 7]);
    }
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let Some((first, last)) = weekday(first).zip(weekday(last)) else {
            let known = WEEKDAYS.join(", ");
            return Err(PolicyRefusal(format!(
                "`weekdays: {text}` names no days; write e.g. `mon-fri,sun`, with {known}"
            )));
        };
        for step in 0..=(last + 7 - first) % 7 {
            days[(first + step) % 7] = true;
        }
    }
    Ok(days)
}

impl AutoscalingPolicy for Timetable {
    fn decide(&mut self, seen: &Observation<'_>) -> Decision {
        let sizes = self.sizes(seen.now.as_secs_f64());
        if sizes.is_empty() {
            return Decision::hold("nothing is scheduled yet");
        }
        let targets: Vec<Target> =
            sizes.into_iter().map(|(tag, size)| Target::new(tag, size).from_raw(f64::from(size))).collect();
        Decision::of(targets, "by the timetable")
    }

    fn look_back(&self) -> SimDuration {
        SimDuration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at: &str, weekdays: &str, instances: f64) -> Settings {
        Settings::defaults(ROW).with("at", at).with("weekdays", weekdays).with("instances", instances)
    }

    fn table(rows: Vec<Settings>) -> Settings {
        Settings::defaults(PARAMETERS).with("rows", rows)
    }

    fn instances(settings: &Settings, elapsed_s: f64) -> Option<u32> {
        Timetable::read(settings).unwrap().sizes(elapsed_s).first().map(|(_, size)| *size)
    }

    #[test]
    fn a_row_holds_from_its_time_of_day_until_the_next_and_over_midnight() {
        let settings = table(vec![row("9:00", "", 30.0), row("23:00:30", "", 10.0)]);
        let hour = 3600.0;
        for (elapsed_s, expected) in [
            (0.0, 10),
            (9.0 * hour - 1.0, 10),
            (9.0 * hour, 30),
            (23.0 * hour + 29.0, 30),
            (23.0 * hour + 30.0, 10),
            (33.0 * hour, 30),
        ] {
            assert_eq!(instances(&settings, elapsed_s), Some(expected), "at {elapsed_s} s");
        }
        let later = settings.clone().with("starts_at", "wed 22:00");
        assert_eq!(instances(&later, 0.0), Some(30));
        assert_eq!(instances(&settings.with("ahead", 600.0), 9.0 * hour - 600.0), Some(30), "in time");
    }

    #[test]
    fn weekdays_limit_a_row() {
        let rows = vec![row("08:00", "mon-fri", 8.0), row("08:00", "sat, sun", 2.0)];
        let settings = table(rows).with("starts_at", "fri 00:00");
        let at = |day: f64, hour: f64| instances(&settings, (day * 24.0 + hour) * 3600.0).unwrap();
        let found = [at(0.0, 9.0), at(1.0, 7.0), at(1.0, 9.0), at(2.0, 9.0), at(3.0, 7.0), at(3.0, 9.0)];
        assert_eq!(found, [8, 8, 2, 2, 2, 8]);
        assert_eq!(days("sat-mon"), Ok([true, false, false, false, false, true, true]));
    }

    #[test]
    fn offsets_repeat_with_their_period_or_never() {
        let rows = vec![row("0", "", 1.0), row("5min", "", 6.0)];
        let settings = table(rows).with("period", 600.0);
        let sizes = [0.0, 299.0, 300.0, 599.0, 600.0, 900.0].map(|s| instances(&settings, s).unwrap());
        assert_eq!(sizes, [1, 1, 6, 6, 1, 6]);
        let once = table(vec![row("100", "", 3.0)]).with("period", 0.0);
        assert_eq!([99.0, 100.0, 1e6].map(|s| instances(&once, s)), [None, Some(3), Some(3)]);
    }

    #[test]
    fn the_ancestors_table_is_the_default_of_periodic() {
        let timetable = Timetable::periodic(&Settings::defaults(PERIODIC));
        let sizes =
            |hour: f64| timetable.sizes(hour * 3600.0).iter().map(|(_, size)| *size).collect::<Vec<_>>();
        assert_eq!(
            [sizes(8.0), sizes(9.0), sizes(22.9), sizes(23.0)],
            [[10, 20], [30, 100], [30, 100], [10, 20]]
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_advice() {
        let refusal = |settings: Settings| Timetable::read(&settings).unwrap_err().0;
        assert!(refusal(table(vec![])).contains("no `rows`"));
        assert!(refusal(table(vec![row("25:00", "", 1.0)])).contains("is no time"));
        assert!(refusal(table(vec![row("-5", "", 1.0)])).contains("is no time"));
        assert!(refusal(table(vec![row("0", "holidays", 1.0)])).contains("names no days"));
        assert!(
            refusal(table(vec![row("0", "mon", 1.0)]).with("period", 60.0)).contains("a period of a day")
        );
        assert!(refusal(table(vec![row("61", "", 1.0)]).with("period", 60.0)).contains("within the period"));
        assert!(
            refusal(table(vec![row("0", "", 1.0)]).with("starts_at", "noon")).contains("e.g. `mon 09:00`")
        );
        assert!(refusal(table(vec![Settings::defaults(ROW)])).contains("names no size"));
    }
}
