//! Virtual time for actix actors, deterministic to the bit on any number of arbiters.
//!
//! A model is a set of [entities](Entity): state machines that receive messages at moments of simulated time and
//! answer with more messages. [`run`] gives each of them an actix actor and a mailbox, moves simulated time, and
//! returns the entities with a [`Digest`] of everything that happened. Same population and seed, same digest:
//! whatever the number of threads, whatever the operating system does with them.
//!
//! ```
//! use ebbflow_actors::{
//!     Entity, EntityId, Group, Member, Message, Outbox, RunConfig, Runner, SimDuration, SimTime, run,
//! };
//!
//! #[derive(Hash, Debug)]
//! struct Ball(u32);
//! impl Message for Ball {}
//!
//! struct Player {
//!     opponent: EntityId,
//!     hits: u32,
//! }
//!
//! impl Entity for Player {
//!     type Message = Ball;
//!
//!     fn label(&self) -> String {
//!         format!("opponent_of_{}", self.opponent.0)
//!     }
//!
//!     fn start(&mut self, _now: SimTime, outbox: &mut Outbox<'_, Self>) {
//!         if outbox.me() == EntityId(0) {
//!             outbox.send(self.opponent, Ball(1));
//!         }
//!     }
//!
//!     fn handle(&mut self, _now: SimTime, from: EntityId, ball: Ball, outbox: &mut Outbox<'_, Self>) {
//!         self.hits += 1;
//!         if ball.0 < 10 {
//!             outbox.send_after(from, SimDuration::from_millis(2), Ball(ball.0 + 1));
//!         }
//!     }
//! }
//!
//! let players = || {
//!     let player = |id| Player { opponent: EntityId(1 - id), hits: 0 };
//!     (0..2).map(|id| Member { id: EntityId(id), group: Group(id), entity: player(id) }).collect()
//! };
//! let two_threads = run(players(), &RunConfig::default().arbiters(2))?;
//! let one_loop = run(players(), &RunConfig::default().runner(Runner::Sequential))?;
//!
//! assert_eq!(two_threads.stats.messages, 10);
//! assert_eq!(two_threads.ended_at, SimTime::from_nanos(19_000_000));
//! assert_eq!(two_threads.digest, one_loop.digest);
//! # Ok::<(), Box<ebbflow_actors::RunFailure<Player>>>(())
//! ```
//!
//! # The rules
//!
//! * **Time** is integer nanoseconds. A message between different entities takes at least one
//!   [lookahead](RunConfig::lookahead); a [tick](Outbox::tick), a message to oneself, takes any time.
//! * **Order.** An entity handles its events by `(time, class, source, source's sequence)`; nothing else counts.
//! * **Randomness** comes from [`Outbox::random`]: a function of seed, entity and stream number.
//! * **Promises.** [`Entity::promise`] says how long an entity has nothing to say to others. Until then it sleeps
//!   through its own ticks and replays them later, in one go: same events, far fewer mailbox deliveries.
//! * **Faults.** What breaks a rule ends the run with a [`Fault`], never with a wrong result, and returns what
//!   was achieved. A handler's panic is a fault too; the panic hook is left alone, so its text is also printed.
//!
//! # A tour of the source
//!
//! `event` and `outbox` are what travels and how it is asked for; `host` is the cell an entity lives in, the same
//! for all runners; `agenda` serves the runners that take one event at a time, `runner::actors` is the one with
//! mailboxes, a clock on every arbiter and an exchange between them; `watch` waits for the threads; `harvest`
//! makes one [`Outcome`] of what they bring.
//!
//! # What it leaves out
//!
//! Real-time pacing, messages without delay between entities, and optimistic (rolled back) execution. Digests are
//! equal for one build on one platform; a model that calls `f64::ln` may differ in the last bit on another.

mod agenda;
mod config;
mod digest;
mod directory;
mod entity;
mod event;
mod fault;
mod harvest;
mod host;
mod inbox;
mod outbox;
mod outcome;
mod pulse;
mod random;
mod run;
mod runner;
mod ticks;
mod time;
mod watch;

pub use config::{Arbiters, Progress, RunConfig, Runner, TickMode};
pub use digest::Digest;
pub use entity::{Entity, EntityId, Group, Message};
pub use fault::{Absence, Fault, Who};
pub use outbox::Outbox;
pub use outcome::{Ending, Outcome, RunFailure, Stats, Undelivered};
pub use random::CounterRng;
pub use run::{Member, run};
pub use ticks::TickId;
pub use time::{SimDuration, SimTime, TimeError};
