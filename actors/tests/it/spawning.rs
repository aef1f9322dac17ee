//! Entities that come and go during a run.

use ebbflow_actors::{Absence, Ending, Entity, EntityId, Fault, Group, Message, Outbox, RunConfig, SimTime};

use crate::support::{agree, at_ms, fail, member, ms};

#[derive(Hash, Debug, Clone, Copy)]
enum Note {
    Hello,
    /// Write to this id when told so.
    Meet(u32),
}
impl Message for Note {}

#[derive(Debug, Default)]
struct Person {
    born: Option<SimTime>,
    heard: Vec<(SimTime, u32)>,
    /// (id, delay of the birth, delay of the first message)
    children: Vec<(u32, u64, u64)>,
    /// Introduces its first child to these.
    introduces_to: Vec<u32>,
    /// Writes to this id after so many milliseconds, told or not.
    guesses: Option<(u32, u64)>,
}

impl Entity for Person {
    type Message = Note;

    fn label(&self) -> String {
        String::from("person")
    }

    fn start(&mut self, now: SimTime, outbox: &mut Outbox<'_, Self>) {
        self.born = Some(now);
        for (id, birth, message) in self.children.clone() {
            outbox.spawn_after(EntityId(id), Group(id), ms(birth), Person::default());
            outbox.send_after(EntityId(id), ms(message), Note::Hello);
        }
        for friend in self.introduces_to.drain(..) {
            outbox.send(EntityId(friend), Note::Meet(self.children[0].0));
        }
        if let Some((id, delay)) = self.guesses {
            outbox.tick(ms(delay), Note::Meet(id));
        }
    }

    fn handle(&mut self, now: SimTime, from: EntityId, note: Note, outbox: &mut Outbox<'_, Self>) {
        match note {
            Note::Hello => self.heard.push((now, from.0)),
            Note::Meet(id) => outbox.send(EntityId(id), Note::Hello),
        }
    }
}

#[test]
fn a_newborn_starts_before_it_hears_and_early_messages_wait_for_its_birth() {
    let population = || {
        vec![
            member(
                0,
                Person {
                    children: vec![(5, 10, 1), (6, 1, 1)],
                    introduces_to: vec![1, 2],
                    ..Person::default()
                },
            ),
            member(1, Person::default()),
            member(2, Person::default()),
        ]
    };
    let agreed = agree(population, &RunConfig::default());
    assert_eq!(agreed.ending, Ending::Quiescent);
    let all_at_birth = [(at_ms(10), 0), (at_ms(10), 1), (at_ms(10), 2)];
    let person = |born, heard: &[(SimTime, u32)]| {
        let heard = heard.to_vec();
        format!("{:?}", Person { born: Some(born), heard, ..Person::default() })
    };
    assert_eq!(agreed.entities[3], (EntityId(5), person(at_ms(10), &all_at_birth)));
    assert_eq!(agreed.entities[4], (EntityId(6), person(at_ms(1), &[(at_ms(1), 0)])));
}

#[test]
fn one_who_cannot_have_heard_of_a_newborn_may_not_write_to_it_on_any_arbiter() {
    let population = || {
        vec![
            member(0, Person { children: vec![(5, 10, 10)], ..Person::default() }),
            // In the very window of the spawn: no message can have told it.
            member(1, Person { guesses: Some((5, 0)), ..Person::default() }),
        ]
    };
    fail(population, &RunConfig::default(), |way, fault, partial| {
        let Fault::UnknownEntity { sender, target, absence, .. } = fault else { panic!("{way}: {fault}") };
        assert_eq!((sender.id.0, target.id.0, *absence), (1, 5, Absence::NeverAnnounced), "{way}");
        assert_eq!(partial.entities.len(), 2);
    });
}

#[test]
fn a_guess_in_a_later_window_is_as_good_as_knowledge() {
    let population = || {
        vec![
            member(0, Person { children: vec![(5, 10, 10)], ..Person::default() }),
            member(1, Person { guesses: Some((5, 1)), ..Person::default() }),
        ]
    };
    agree(population, &RunConfig::default());
}

#[test]
fn one_who_is_not_yet_born_at_the_end_is_not_among_the_living() {
    let population = || vec![member(0, Person { children: vec![(5, 10, 20)], ..Person::default() })];
    let agreed = agree(population, &RunConfig::default().until(at_ms(10)));
    assert_eq!((agreed.entities.len(), agreed.undelivered.len()), (1, 1));
    assert_eq!(agreed.ending, Ending::TimeLimit);
}

#[test]
fn generations_can_be_spawned_in_every_window() {
    #[derive(Debug)]
    struct Ancestor(u32);
    impl Entity for Ancestor {
        type Message = Note;
        fn label(&self) -> String {
            format!("generation_{}", self.0)
        }
        fn start(&mut self, _: SimTime, outbox: &mut Outbox<'_, Self>) {
            if self.0 < 50 {
                let child = EntityId(outbox.me().0 + 1);
                outbox.spawn(child, Group(child.0), Ancestor(self.0 + 1));
                outbox.send(child, Note::Hello);
            }
        }
        fn handle(&mut self, _: SimTime, _: EntityId, _: Note, outbox: &mut Outbox<'_, Self>) {
            outbox.stop();
        }
    }
    let agreed = agree(|| vec![member(0, Ancestor(0))], &RunConfig::default());
    assert_eq!((agreed.events, agreed.entities.len()), (101, 1));
}
