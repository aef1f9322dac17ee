//! How a run ends, and what it then hands back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ebbflow_actors::{Ending, Entity, EntityId, Member, Message, Outbox, RunConfig, SimTime, TickId, run};

use crate::support::{agree, at_ms, every_way, member, ms};

#[derive(Hash, Debug, Clone, PartialEq)]
enum Note {
    Hello,
    Beat,
    Never,
}
impl Message for Note {}

/// Beats every 10 ms for as long as asked; on the way writes, or cancels, as told.
#[derive(Debug, Default)]
struct Clockwork {
    beats_left: u32,
    beats: u32,
    hellos: u32,
    /// To whom to write at the start, and after how many milliseconds it arrives.
    write: Vec<(u32, u64)>,
    /// Sets a tick and cancels it at the first beat.
    regrets: bool,
    regretted: Option<TickId>,
    /// Raised at the third beat.
    flag: Option<Arc<AtomicBool>>,
}

impl Entity for Clockwork {
    type Message = Note;

    fn label(&self) -> String {
        String::from("clockwork")
    }

    fn start(&mut self, _: SimTime, outbox: &mut Outbox<'_, Self>) {
        for (to, delay) in std::mem::take(&mut self.write) {
            outbox.send_after(EntityId(to), ms(delay), Note::Hello);
        }
        if self.regrets {
            self.regretted = Some(outbox.tick(ms(35), Note::Never));
        }
        if self.beats_left > 0 {
            outbox.tick(ms(10), Note::Beat);
        }
    }

    fn handle(&mut self, _: SimTime, _: EntityId, note: Note, outbox: &mut Outbox<'_, Self>) {
        match note {
            Note::Hello => self.hellos += 1,
            Note::Never => panic!("a cancelled tick is never handled"),
            Note::Beat => {
                self.beats += 1;
                self.beats_left -= 1;
                if let Some(tick) = self.regretted.take() {
                    assert!(outbox.cancel(tick), "it was pending");
                    assert!(!outbox.cancel(tick), "it no longer is");
                }
                if let Some(flag) = self.flag.as_ref().filter(|_| self.beats == 3) {
                    flag.store(true, Ordering::Relaxed);
                }
                if self.beats_left > 0 {
                    outbox.tick(ms(10), Note::Beat);
                }
            }
        }
    }

    /// Writes only at its start.
    fn promise(&self, _: Option<SimTime>) -> Option<SimTime> {
        None
    }
}

fn beating(beats_left: u32) -> Clockwork {
    Clockwork { beats_left, ..Clockwork::default() }
}

#[test]
fn ticks_nobody_else_notices_are_caught_up_with_at_the_end() {
    let agreed = agree(|| vec![member(0, beating(50)), member(1, beating(3))], &RunConfig::default());
    assert_eq!((agreed.events, agreed.ended_at, agreed.ending), (55, at_ms(500), Ending::Quiescent));
}

#[test]
fn events_at_the_time_limit_are_not_handled() {
    let config = RunConfig::default().until(at_ms(30));
    let agreed = agree(|| vec![member(0, beating(50)), member(1, beating(3))], &config);
    assert_eq!((agreed.events, agreed.ended_at, agreed.ending), (6, at_ms(20), Ending::TimeLimit));
}

#[test]
fn a_time_limit_within_a_window_holds_to_the_nanosecond() {
    let config = RunConfig::default().lookahead(ms(7)).until(at_ms(31));
    let agreed = agree(|| vec![member(0, beating(50)), member(1, beating(2))], &config);
    assert_eq!((agreed.events, agreed.ended_at), (7, at_ms(30)));
}

#[test]
fn a_time_limit_of_zero_handles_nothing_and_returns_the_population() {
    let agreed = agree(|| vec![member(0, beating(5))], &RunConfig::default().until(SimTime::ZERO));
    assert_eq!((agreed.events, agreed.ending, agreed.entities.len()), (0, Ending::TimeLimit, 1));
}

#[test]
fn a_run_that_has_nothing_left_before_its_limit_is_quiescent() {
    let agreed = agree(|| vec![member(0, beating(2))], &RunConfig::default().until(at_ms(1_000)));
    assert_eq!((agreed.ended_at, agreed.ending), (at_ms(20), Ending::Quiescent));
}

#[test]
fn messages_in_flight_at_the_end_are_returned_in_order() {
    let writer = |write| Clockwork { write, ..Clockwork::default() };
    let population = || {
        vec![
            member(0, writer(vec![(2, 90), (2, 50), (2, 10)])),
            member(1, writer(vec![(2, 50), (0, 60), (2, 29)])),
            member(2, beating(1)),
        ]
    };
    let agreed = agree(population, &RunConfig::default().until(at_ms(30)));
    assert_eq!((agreed.events, agreed.messages, agreed.ending), (6, 6, Ending::TimeLimit));

    let outcome = run(population(), &RunConfig::default().until(at_ms(30)).arbiters(3)).unwrap();
    let found: Vec<_> = outcome.undelivered.iter().map(|left| (left.at, left.from.0, left.to.0)).collect();
    assert_eq!(found, [(at_ms(50), 0, 2), (at_ms(50), 1, 2), (at_ms(60), 1, 0), (at_ms(90), 0, 2)]);
    assert!(outcome.undelivered.iter().all(|left| left.message == Note::Hello));
}

#[test]
fn a_cancelled_tick_is_neither_handled_nor_counted() {
    let population = || vec![member(0, Clockwork { regrets: true, ..beating(5) })];
    let agreed = agree(population, &RunConfig::default());
    assert_eq!((agreed.events, agreed.ended_at, agreed.ending), (6, at_ms(50), Ending::Quiescent));
    // Its clock still wakes for it, in eager mode, and finds nothing.
    let limited = agree(population, &RunConfig::default().until(at_ms(35)));
    assert_eq!(limited.events, 4);
}

#[test]
fn an_interrupt_ends_a_run_that_would_go_on_for_ever() {
    for (way, config) in every_way(&RunConfig::default()) {
        let flag = Arc::new(AtomicBool::new(false));
        let endless = Clockwork { flag: Some(Arc::clone(&flag)), ..beating(u32::MAX) };
        let population: Vec<Member<Clockwork>> = vec![member(0, endless), member(1, beating(u32::MAX))];
        let outcome = run(population, &config.interrupt(flag)).unwrap();
        assert_eq!(outcome.ending, Ending::Interrupted, "{way}");
        assert_eq!(outcome.entities.len(), 2);
        assert!(outcome.entities[0].1.beats >= 3, "{way}");
    }
}

#[test]
fn an_interrupt_before_the_beginning_ends_the_run_at_once() {
    for (way, config) in every_way(&RunConfig::default()) {
        let flag = Arc::new(AtomicBool::new(true));
        let outcome = run(vec![member(0, beating(5))], &config.interrupt(flag)).unwrap();
        assert_eq!((outcome.ending, outcome.stats.events), (Ending::Interrupted, 0), "{way}");
        assert_eq!(outcome.entities.len(), 1);
    }
}
