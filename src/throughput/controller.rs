//! The controller: looks at regular times how much the workers have in hand.

use ebbflow_actors::{Outbox, SimDuration};

use super::load::DISPATCHER;
use super::note::Note;
use super::part::Part;

/// Between two looks.
pub(super) const SAMPLE_PERIOD: SimDuration = SimDuration::from_millis(100);

/// Remembers the most jobs it has seen in hand.
#[derive(Debug, Default)]
pub struct Controller {
    most_in_hand: u64,
}

impl Controller {
    pub(super) fn start(&mut self, outbox: &mut Outbox<'_, Part>) {
        outbox.tick(SAMPLE_PERIOD, Note::Look);
    }

    pub(super) fn handle(&mut self, note: Note, outbox: &mut Outbox<'_, Part>) {
        match note {
            Note::Look => {
                outbox.send(DISPATCHER, Note::Sample);
                outbox.tick(SAMPLE_PERIOD, Note::Look);
            }
            Note::InHand(jobs) => self.most_in_hand = self.most_in_hand.max(jobs),
            other => unreachable!("nobody tells the controller {other:?}"),
        }
    }
}
