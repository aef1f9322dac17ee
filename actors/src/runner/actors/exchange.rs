//! The meeting of all arbiters between two windows.
//!
//! Every replica of the clock sends one batch to every other and waits for one from each. The batch is data,
//! barrier and vote in one: the events that cross over, the spawns everybody must hear of, the sender's next
//! window, and whether it wants to end the run. All see the same batches, so all decide the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};

use crate::directory::Announcement;
use crate::entity::Entity;
use crate::event::Event;

/// Between two looks at the abort flag while a peer does not answer.
const PATIENCE: Duration = Duration::from_millis(20);

/// About as long as it takes to fall asleep and be woken: then waiting costs at most twice what it must, whether
/// the peer is a moment late or does not run at all, because something else has its processor.
const SPINS: u32 = 300;

pub(super) struct Batch<E: Entity> {
    pub(super) events: Vec<Event<E>>,
    pub(super) news: Vec<Announcement>,
    pub(super) vote: Vote,
}

/// What a replica knows that all must agree on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vote {
    /// The next window with something to do, here or in what is sent along; [`u64::MAX`] for none.
    pub(super) next: u64,
    pub(super) failed: bool,
    pub(super) interrupted: bool,
}

impl Vote {
    pub(super) fn join(self, other: Vote) -> Vote {
        Vote {
            next: self.next.min(other.next),
            failed: self.failed | other.failed,
            interrupted: self.interrupted | other.interrupted,
        }
    }
}

/// The way to and from one other arbiter.
pub(super) struct Peer<E: Entity> {
    arbiter: usize,
    to: Sender<Batch<E>>,
    from: Receiver<Batch<E>>,
    /// Collected for the next batch. The buffer received from the peer becomes the next one to send.
    pub(super) events: Vec<Event<E>>,
}

pub(super) struct Exchange<E: Entity> {
    pub(super) peers: Vec<Peer<E>>,
    spins: u32,
    abort: Arc<AtomicBool>,
}

/// A peer is gone, or the run was aborted: there is nobody to agree with any more.
pub(super) struct Alone;

impl<E: Entity> Exchange<E> {
    /// One exchange per arbiter, connected all to all.
    pub(super) fn connect(arbiters: usize, abort: &Arc<AtomicBool>) -> Vec<Self> {
        // With fewer processors than arbiters a spinning thread keeps its peer from running.
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let spins = if arbiters <= processors { SPINS } else { 0 };
        let mut exchanges: Vec<_> =
            (0..arbiters).map(|_| Exchange { peers: Vec::new(), spins, abort: Arc::clone(abort) }).collect();
        for first in 0..arbiters {
            for second in first + 1..arbiters {
                // A peer may be one meeting ahead, never two: a batch never waits for room.
                let (there, from_first) = bounded(2);
                let (back, from_second) = bounded(2);
                exchanges[first].peers.push(Peer::new(second, there, from_second));
                exchanges[second].peers.push(Peer::new(first, back, from_first));
            }
        }
        exchanges
    }

    /// The way to `arbiter`, which is not the own one.
    pub(super) fn peer(&mut self, me: usize, arbiter: usize) -> &mut Peer<E> {
        let place = if arbiter < me { arbiter } else { arbiter - 1 };
        debug_assert_eq!(self.peers[place].arbiter, arbiter);
        &mut self.peers[place]
    }

    /// Sends what was collected for every peer; a peer that is gone is noticed when receiving.
    pub(super) fn send(&mut self, news: &[Announcement], vote: Vote) {
        for peer in &mut self.peers {
            let events = std::mem::take(&mut peer.events);
            let _ = peer.to.send(Batch { events, news: news.to_vec(), vote });
        }
    }

    /// Waits for the batch of the `nth` peer.
    pub(super) fn receive(&self, nth: usize) -> Result<Batch<E>, Alone> {
        let from = &self.peers[nth].from;
        for _ in 0..self.spins {
            match from.try_recv() {
                Ok(batch) => return Ok(batch),
                Err(TryRecvError::Disconnected) => return Err(Alone),
                Err(TryRecvError::Empty) => std::hint::spin_loop(),
            }
        }
        loop {
            match from.recv_timeout(PATIENCE) {
                Ok(batch) => return Ok(batch),
                Err(error) if error.is_disconnected() || self.aborted() => return Err(Alone),
                Err(_) => {}
            }
        }
    }

    pub(super) fn aborted(&self) -> bool {
        self.abort.load(Ordering::Relaxed)
    }
}

impl<E: Entity> Peer<E> {
    fn new(arbiter: usize, to: Sender<Batch<E>>, from: Receiver<Batch<E>>) -> Self {
        Peer { arbiter, to, from, events: Vec::new() }
    }
}
