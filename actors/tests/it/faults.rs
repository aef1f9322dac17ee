//! Every fault is a typed error that names who and when, on every runner; no run hangs, and what was achieved
//! until then comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ebbflow_actors::{
    Absence, Ending, Entity, EntityId, Fault, Group, Member, Message, Outbox, RunConfig, SimDuration,
    SimTime, run,
};

use crate::support::{at_ms, fail, member, ms};

#[derive(Hash, Debug, Clone)]
struct Note(&'static str);
impl Message for Note {}

/// What the rogue does on its tick at 5 ms.
#[derive(Clone)]
enum Deed {
    Panic,
    PanicAtStart,
    PanicInPromise,
    PanicWhenDropped,
    WriteToNobody,
    WriteToTheDeparted,
    BreakPromise,
    StopUnpromised,
    Hurry,
    SpawnInAHurry,
    LookBack,
    SpawnTwice,
    SpawnAMember,
    SpawnFarOut,
    Wedge(Arc<AtomicBool>),
}

use Deed::*;

enum Cast {
    Rogue(Deed),
    /// Counts a beat each millisecond, alone.
    Bystander(u32),
    /// Leaves at 2 ms.
    Guest,
}

fn play(deed: &Deed) -> Vec<Member<Cast>> {
    let bystanders = (1..4).map(|id| member(id, Cast::Bystander(0)));
    let mut population: Vec<_> = bystanders.collect();
    population.push(member(0, Cast::Rogue(deed.clone())));
    population.push(member(4, Cast::Guest));
    population
}

impl Drop for Cast {
    fn drop(&mut self) {
        if matches!(self, Cast::Rogue(PanicWhenDropped)) {
            panic!("dropped on the floor");
        }
    }
}

impl Cast {
    fn commit(deed: &Deed, now: SimTime, outbox: &mut Outbox<'_, Cast>) {
        match deed {
            Panic => panic!("on purpose"),
            PanicAtStart | PanicInPromise => {}
            PanicWhenDropped | StopUnpromised => outbox.stop(),
            WriteToNobody => outbox.send(EntityId(77), Note("anybody there?")),
            WriteToTheDeparted => outbox.send(EntityId(4), Note("come back")),
            BreakPromise => outbox.send(EntityId(1), Note("surprise")),
            Hurry => outbox.send_after(EntityId(1), SimDuration::from_nanos(999_999), Note("quick")),
            SpawnInAHurry => {
                outbox.spawn_after(EntityId(8), Group(0), SimDuration::ZERO, Cast::Guest);
            }
            LookBack => {
                outbox.tick_at(now.checked_sub(at_ms(1)).map_or(now, |_| at_ms(1)), Note("yesterday"));
            }
            SpawnTwice => {
                outbox.spawn(EntityId(8), Group(0), Cast::Guest);
                outbox.spawn(EntityId(8), Group(1), Cast::Guest);
            }
            SpawnAMember => outbox.spawn(EntityId(1), Group(0), Cast::Guest),
            SpawnFarOut => outbox.spawn(EntityId(u32::MAX), Group(0), Cast::Guest),
            Wedge(released) => {
                while !released.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
        }
    }
}

impl Entity for Cast {
    type Message = Note;

    fn label(&self) -> String {
        String::from(match self {
            Cast::Rogue(_) => "rogue",
            Cast::Bystander(_) => "bystander",
            Cast::Guest => "guest",
        })
    }

    fn start(&mut self, _: SimTime, outbox: &mut Outbox<'_, Self>) {
        assert!(!matches!(self, Cast::Rogue(PanicAtStart)), "not even started");
        let first = match self {
            Cast::Rogue(_) => 5,
            Cast::Bystander(_) => 1,
            Cast::Guest => 2,
        };
        outbox.tick(ms(first), Note("tick"));
    }

    fn handle(&mut self, now: SimTime, _: EntityId, note: Note, outbox: &mut Outbox<'_, Self>) {
        match self {
            Cast::Rogue(deed) => Cast::commit(deed, now, outbox),
            Cast::Bystander(beats) if note.0 == "tick" => {
                *beats += 1;
                outbox.tick(ms(1), note);
            }
            Cast::Bystander(_) => {}
            Cast::Guest => outbox.stop(),
        }
    }

    fn promise(&self, next_tick: Option<SimTime>) -> Option<SimTime> {
        match self {
            Cast::Rogue(BreakPromise) => None,
            Cast::Rogue(StopUnpromised) => next_tick.map(|tick| tick + ms(1)),
            Cast::Rogue(PanicInPromise) => panic!("no comment"),
            Cast::Rogue(_) | Cast::Guest => next_tick,
            Cast::Bystander(_) => None,
        }
    }
}

/// Commits the deed in every way; all but the departed guest must come back, and the bystanders with their beats.
fn provoke(deed: &Deed, survivors: usize, check: impl Fn(&str, &Fault)) {
    fail(
        || play(deed),
        &RunConfig::default().until(at_ms(50)),
        |way, fault, partial| {
            check(way, fault);
            assert_eq!(partial.ending, Ending::Interrupted, "{way}");
            assert_eq!(partial.entities.len(), survivors, "{way}: {fault}");
            let text = fault.to_string();
            assert!(text.contains("entity"), "{way}: {text}");
        },
    );
}

/// The fault is about the rogue, at 5 ms, and names it.
fn is_the_rogue(way: &str, fault: &Fault) {
    let who = fault.entity().unwrap_or_else(|| panic!("{way}: {fault}"));
    assert_eq!((who.id, who.label.as_deref()), (EntityId(0), Some("rogue")), "{way}: {fault}");
}

#[test]
fn a_panicking_handler_is_a_fault_with_the_panics_text() {
    provoke(&Panic, 4, |way, fault| {
        let Fault::HandlerPanicked { at, panic, .. } = fault else { panic!("{way}: {fault}") };
        assert_eq!((*at, panic.as_str()), (at_ms(5), "on purpose"), "{way}");
        is_the_rogue(way, fault);
    });
}

#[test]
fn a_panicking_start_is_a_fault() {
    // The guest has not left yet where the run ends with the first event.
    fail(
        || play(&PanicAtStart),
        &RunConfig::default().until(at_ms(50)),
        |way, fault, partial| {
            let Fault::HandlerPanicked { at, event, .. } = fault else { panic!("{way}: {fault}") };
            assert_eq!((*at, event.as_str()), (SimTime::ZERO, "its start"), "{way}");
            assert_eq!(partial.entities.len(), 5, "{way}");
        },
    );
}

#[test]
fn a_panicking_promise_is_a_fault() {
    fail(
        || play(&PanicInPromise),
        &RunConfig::default().until(at_ms(50)),
        |way, fault, partial| {
            let Fault::HandlerPanicked { panic, .. } = fault else { panic!("{way}: {fault}") };
            assert_eq!(panic, "no comment", "{way}");
            assert_eq!(partial.entities.len(), 5, "{way}");
        },
    );
}

#[test]
fn a_panicking_destructor_of_an_entity_that_leaves_is_a_fault() {
    provoke(&PanicWhenDropped, 3, |way, fault| {
        let Fault::HandlerPanicked { event, panic, .. } = fault else { panic!("{way}: {fault}") };
        assert_eq!((event.as_str(), panic.as_str()), ("its own destructor", "dropped on the floor"), "{way}");
        is_the_rogue(way, fault);
    });
}

#[test]
fn with_checks_on_a_panic_report_quotes_the_message() {
    let config = RunConfig::default().check_promises(true);
    let failure = run(play(&Panic), &config).unwrap_err();
    assert!(failure.to_string().contains("Note(\"tick\")"), "{failure}");
}

#[test]
fn a_message_to_an_id_that_never_was_is_a_fault() {
    provoke(&WriteToNobody, 4, |way, fault| {
        let Fault::UnknownEntity { target, at, absence, event, .. } = fault else { panic!("{way}: {fault}") };
        assert_eq!((target.id.0, *at, *absence), (77, at_ms(6), Absence::NeverAnnounced), "{way}");
        assert!(event.contains("anybody there?"));
        is_the_rogue(way, fault);
    });
}

#[test]
fn a_message_to_one_who_has_left_is_a_fault() {
    provoke(&WriteToTheDeparted, 4, |way, fault| {
        let Fault::UnknownEntity { target, at, absence, .. } = fault else { panic!("{way}: {fault}") };
        assert_eq!((target.id.0, *at, *absence), (4, at_ms(6), Absence::Stopped), "{way}");
        assert_eq!(target.label.as_deref(), Some("guest"));
        is_the_rogue(way, fault);
    });
}

#[test]
fn a_message_sent_before_it_was_promised_is_a_fault_and_goes_nowhere() {
    fail(
        || play(&BreakPromise),
        &RunConfig::default().until(at_ms(50)),
        |way, fault, partial| {
            let Fault::BrokenPromise { promised, sent_at, deed, .. } = fault else {
                panic!("{way}: {fault}")
            };
            assert_eq!((*promised, *sent_at, deed.as_str()), (None, at_ms(5), "sent to entity 1"), "{way}");
            assert!(partial.undelivered.is_empty());
            is_the_rogue(way, fault);
        },
    );
}

#[test]
fn leaving_before_it_was_promised_is_a_fault() {
    provoke(&StopUnpromised, 4, |way, fault| {
        let Fault::BrokenPromise { promised, sent_at, deed, .. } = fault else { panic!("{way}: {fault}") };
        assert_eq!((*promised, *sent_at, deed.as_str()), (Some(at_ms(6)), at_ms(5), "stopped"), "{way}");
    });
}

#[test]
fn a_message_faster_than_the_lookahead_is_a_fault() {
    provoke(&Hurry, 4, |way, fault| {
        let Fault::BelowLookahead { at, delay, lookahead, .. } = fault else { panic!("{way}: {fault}") };
        assert_eq!((*at, delay.as_nanos(), *lookahead), (at_ms(5), 999_999, ms(1)), "{way}");
        is_the_rogue(way, fault);
    });
}

#[test]
fn a_spawn_faster_than_the_lookahead_is_a_fault() {
    provoke(&SpawnInAHurry, 4, |way, fault| {
        assert!(matches!(fault, Fault::BelowLookahead { .. }), "{way}: {fault}");
        assert!(fault.to_string().contains("birth of `guest`"), "{fault}");
    });
}

#[test]
fn a_tick_in_the_past_is_a_fault() {
    provoke(&LookBack, 4, |way, fault| {
        let Fault::TickInPast { at, wanted, .. } = fault else { panic!("{way}: {fault}") };
        assert_eq!((*at, *wanted), (at_ms(5), at_ms(1)), "{way}");
        is_the_rogue(way, fault);
    });
}

#[test]
fn spawning_an_id_twice_or_that_of_a_member_is_a_fault() {
    for (deed, id) in [(SpawnTwice, 8), (SpawnAMember, 1)] {
        provoke(&deed, 4, |way, fault| {
            let Fault::DuplicateEntity { entity, by, .. } = fault else { panic!("{way}: {fault}") };
            assert_eq!((entity.id.0, by.id.0), (id, 0), "{way}");
        });
    }
}

#[test]
fn spawning_one_id_from_two_arbiters_in_one_window_is_a_fault() {
    struct Parent;
    impl Entity for Parent {
        type Message = Note;
        fn label(&self) -> String {
            String::from("parent")
        }
        fn start(&mut self, now: SimTime, outbox: &mut Outbox<'_, Self>) {
            if now == SimTime::ZERO {
                outbox.spawn(EntityId(9), Group(outbox.me().0), Parent);
            }
        }
        fn handle(&mut self, _: SimTime, _: EntityId, _: Note, _: &mut Outbox<'_, Self>) {}
    }
    let parents = || (0..3).map(|id| member(id, Parent)).collect();
    fail(parents, &RunConfig::default(), |way, fault, partial| {
        let Fault::DuplicateEntity { entity, by, .. } = fault else { panic!("{way}: {fault}") };
        assert_eq!(entity.id.0, 9, "{way}");
        assert_eq!(by.label.as_deref(), Some("parent"), "{way}");
        assert_eq!(partial.entities.len(), 3, "{way}");
    });
}

#[test]
fn an_id_far_out_of_range_is_refused_without_a_table_for_it() {
    fail(
        || play(&SpawnFarOut),
        &RunConfig::default().until(at_ms(50)),
        |way, fault, _| {
            assert!(matches!(fault, Fault::InvalidConfig { .. }), "{way}: {fault}");
            assert!(fault.to_string().contains("number entities densely"));
        },
    );
}

#[test]
fn a_handler_that_does_not_return_is_a_fault_and_the_others_come_home() {
    let released = Arc::new(AtomicBool::new(false));
    let config = RunConfig::default().until(at_ms(50)).watchdog(Duration::from_millis(400));
    fail(
        || play(&Wedge(Arc::clone(&released))),
        &config,
        |way, fault, partial| {
            let Fault::Wedged { entity, at, .. } = fault else { panic!("{way}: {fault}") };
            assert_eq!((entity.id.0, *at), (0, at_ms(5)), "{way}");
            // Groups 1 and 2 are out of the wedged thread's reach; groups 0 and 3 share its arbiter.
            let survivors: Vec<_> = partial.entities.iter().map(|(id, _)| id.0).collect();
            let expected: &[u32] = if way.starts_with('3') { &[1, 2] } else { &[] };
            assert_eq!(survivors, expected, "{way}");
        },
    );
    released.store(true, Ordering::Relaxed);
}

#[test]
fn patience_without_end_waits_for_a_slow_handler() {
    let released = Arc::new(AtomicBool::new(false));
    let slow = Wedge(Arc::clone(&released));
    let waker = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        released.store(true, Ordering::Relaxed);
    });
    let outcome = run(play(&slow), &RunConfig::default().until(at_ms(50)).watchdog(None)).unwrap();
    assert_eq!(outcome.ending, Ending::TimeLimit);
    waker.join().unwrap();
}

#[test]
fn a_configuration_that_makes_no_sense_is_refused_and_the_population_returned() {
    let config = RunConfig::default().lookahead(SimDuration::ZERO);
    let failure = run(play(&Panic), &config).unwrap_err();
    assert!(failure.to_string().contains("lookahead is zero"), "{failure}");
    assert_eq!(failure.partial.entities.len(), 5);

    let mut twice = play(&Panic);
    twice.push(member(1, Cast::Guest));
    let failure = run(twice, &RunConfig::default()).unwrap_err();
    assert!(failure.to_string().contains("entity 1 is in the population twice"), "{failure}");

    let far = vec![member(EntityId::LIMIT, Cast::Guest)];
    let failure = run(far, &RunConfig::default()).unwrap_err();
    assert!(matches!(failure.fault, Fault::InvalidConfig { .. }));
}

#[test]
fn bystanders_have_lived_on_until_the_fault() {
    let failure = run(play(&Panic), &RunConfig::default().arbiters(3)).unwrap_err();
    for (id, entity) in &failure.partial.entities {
        if let Cast::Bystander(beats) = entity {
            assert_eq!(*beats, 5, "{id} was asleep, and has caught up with the window of the fault");
        }
    }
}

#[test]
fn a_message_that_panics_when_dropped_loses_its_arbiter_but_not_the_others() {
    #[derive(Hash, Debug)]
    struct Grenade;
    impl Message for Grenade {}
    impl Drop for Grenade {
        fn drop(&mut self) {
            panic!("a message must not do that");
        }
    }
    struct Soldier;
    impl Entity for Soldier {
        type Message = Grenade;
        fn label(&self) -> String {
            String::from("soldier")
        }
        fn start(&mut self, _: SimTime, outbox: &mut Outbox<'_, Self>) {
            match outbox.me().0 {
                0 => outbox.send(EntityId(1), Grenade),
                // Nobody is there to be blamed: the message is dropped by the clock.
                1 => outbox.stop(),
                _ => {}
            }
        }
        fn handle(&mut self, _: SimTime, _: EntityId, _: Grenade, _: &mut Outbox<'_, Self>) {}
    }
    let squad = || (0..3).map(|id| member(id, Soldier)).collect();
    fail(squad, &RunConfig::default(), |way, fault, partial| {
        assert!(matches!(fault, Fault::ArbiterLost { .. }), "{way}: {fault}");
        let survivors = if way.starts_with('3') { 2 } else { 0 };
        assert_eq!(partial.entities.len(), survivors, "{way}");
    });
}
