//! What comes first when several things happen at once, and what randomness depends on.

use ebbflow_actors::{Entity, EntityId, Member, Message, Outbox, RunConfig, SimTime, run};

use crate::support::{agree, at_ms, member, ms};

#[derive(Hash, Debug, Clone)]
struct Note {
    class: u8,
    text: &'static str,
}

impl Message for Note {
    fn class(&self) -> u8 {
        self.class
    }
}

#[derive(Debug, Default)]
struct Listener {
    heard: Vec<(SimTime, u32, &'static str)>,
    says: Vec<Saying>,
    numbers: Vec<u64>,
    draws: usize,
}

impl Entity for Listener {
    type Message = Note;

    fn label(&self) -> String {
        String::from("listener")
    }

    fn start(&mut self, _: SimTime, outbox: &mut Outbox<'_, Self>) {
        let mut random = outbox.random(1);
        self.numbers.extend((0..self.draws).map(|_| random.next_u64()));
        for (to, delay, class, text) in self.says.drain(..) {
            let note = Note { class, text };
            match to {
                Some(to) => outbox.send_after(EntityId(to), ms(delay), note),
                None => {
                    outbox.tick(ms(delay), note);
                }
            }
        }
    }

    fn handle(&mut self, now: SimTime, from: EntityId, note: Note, outbox: &mut Outbox<'_, Self>) {
        self.heard.push((now, from.0, note.text));
        if note.text == "again" {
            outbox.tick(ms(0), Note { class: 0, text: "at once" });
        }
    }
}

/// To whom, a tick if to nobody; after how many milliseconds; class; text.
type Saying = (Option<u32>, u64, u8, &'static str);

fn listeners(says: [&[Saying]; 3]) -> Vec<Member<Listener>> {
    let listener = |(id, says): (usize, &&[_])| {
        member(id as u32, Listener { says: says.to_vec(), ..Listener::default() })
    };
    says.iter().enumerate().map(listener).collect()
}

fn heard_by(id: u32, population: impl Fn() -> Vec<Member<Listener>>) -> Vec<(SimTime, u32, &'static str)> {
    agree(&population, &RunConfig::default());
    let outcome = run(population(), &RunConfig::default().arbiters(3)).expect("it agreed before");
    outcome.entities.into_iter().find(|(other, _)| other.0 == id).expect("all are alive").1.heard
}

#[test]
fn ties_are_broken_by_class_then_source_then_the_sources_own_order() {
    let heard = heard_by(1, || {
        listeners([
            &[
                (Some(1), 5, 1, "zero, second"),
                (Some(1), 5, 0, "zero, urgent"),
                (Some(1), 5, 1, "zero, third"),
            ],
            &[(None, 5, 1, "own tick"), (None, 5, 0, "own urgent tick")],
            &[(Some(1), 5, 0, "two, urgent"), (Some(1), 5, 1, "two"), (Some(1), 4, 9, "two, early")],
        ])
    });
    let texts: Vec<_> = heard.iter().map(|(_, _, text)| *text).collect();
    assert_eq!(
        texts,
        [
            "two, early",
            "zero, urgent",
            "own urgent tick",
            "two, urgent",
            "zero, second",
            "zero, third",
            "own tick",
            "two"
        ]
    );
}

#[test]
fn a_tick_without_delay_is_handled_at_the_same_time_in_its_place_among_the_rest() {
    let heard = heard_by(0, || {
        listeners([&[(None, 3, 1, "again"), (None, 3, 2, "after")], &[(Some(0), 3, 0, "before")], &[]])
    });
    let expected = [(1, "before"), (0, "again"), (0, "at once"), (0, "after")];
    assert_eq!(heard, expected.map(|(from, text)| (at_ms(3), from, text)));
}

#[test]
fn a_message_to_oneself_is_a_tick_and_may_take_any_delay() {
    let heard = heard_by(0, || listeners([&[(Some(0), 0, 0, "note to self")], &[], &[]]));
    assert_eq!(heard, [(at_ms(0), 0, "note to self")]);
    let agreed = agree(|| listeners([&[(Some(0), 0, 0, "note to self")], &[], &[]]), &RunConfig::default());
    assert_eq!(agreed.messages, 0);
}

#[test]
fn adding_an_entity_or_drawing_more_elsewhere_does_not_shift_an_entitys_random_numbers() {
    let numbers = |draws: &[usize]| {
        let listener = |(id, draws): (usize, &usize)| {
            member(id as u32, Listener { draws: *draws, ..Listener::default() })
        };
        let population = draws.iter().enumerate().map(listener).collect();
        let outcome = run(population, &RunConfig::default().seed(5)).unwrap();
        outcome.entities.into_iter().map(|(_, listener)| listener.numbers).collect::<Vec<_>>()
    };
    let few = numbers(&[3, 3]);
    let more = numbers(&[100, 3, 3]);
    assert_eq!(few[0], more[0][..3]);
    assert_eq!(few[1], more[1]);
    assert_ne!(few[0], few[1]);
}
