//! One client: its windows one after the other.

use std::sync::Arc;

use ebbflow_actors::{CounterRng, SimTime};

use super::Part;
use super::arrivals::Arrivals;
use super::lengths::ClientLengths;
use super::windows::Window;
use crate::request::Attributes;
use crate::workload::synthetic::Stream;

/// A client with everything that its requests are drawn from.
#[derive(Clone, Debug)]
pub(super) struct Client {
    /// As its files are numbered.
    pub(super) number: u32,
    pub(super) windows: Vec<Window>,
    pub(super) lengths: ClientLengths,
    pub(super) seed: u64,
    /// By how much its rates are multiplied.
    pub(super) factor: f64,
}

/// A request before it is numbered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Drawn {
    pub(super) arrival: SimTime,
    pub(super) prompt_tokens: u32,
    pub(super) output_tokens: u32,
}

impl Client {
    /// What all its requests say: whose they are.
    pub(super) fn attributes(&self) -> Arc<Attributes> {
        let tenant = Some(format!("client-{}", self.number).into());
        Arc::new(Attributes { tenant, ..Attributes::NONE })
    }

    /// How many requests it sends in this part of the time, unless that cuts through one of its windows.
    pub(super) fn expected(&self, part: Part) -> Option<u64> {
        let count = |window: &Window| {
            let whole = !part.cuts(window);
            whole.then(|| window.count(self.factor, &mut self.stream(Stream::ClientGaps, window)))
        };
        self.windows.iter().filter(|window| !part.overlap(window).is_zero()).map(count).sum()
    }

    /// Its requests in this part of the time.
    pub(super) fn requests(self, part: Part) -> Requests {
        let next = self.windows.partition_point(|window| window.end <= part.from);
        Requests { client: self, part, next, now: None }
    }

    /// A random stream of one window.
    fn stream(&self, stream: Stream, window: &Window) -> CounterRng {
        stream.of_turn(self.seed, u64::from(self.number), window.number)
    }
}

/// The requests of a client, in order.
#[derive(Clone, Debug)]
pub(super) struct Requests {
    client: Client,
    part: Part,
    /// The window after this one.
    next: usize,
    now: Option<Now>,
}

/// A window that goes on.
#[derive(Clone, Debug)]
struct Now {
    start: SimTime,
    arrivals: Arrivals,
    prompts: CounterRng,
    outputs: CounterRng,
}

impl Requests {
    /// Goes to the next window, if there is one in the part.
    fn advance(&mut self) -> Option<()> {
        let client = &self.client;
        let window = client.windows.get(self.next).filter(|window| window.start < self.part.until)?;
        self.next += 1;
        self.now = Some(Now {
            start: window.start,
            arrivals: window.arrivals(client.factor, client.stream(Stream::ClientGaps, window)),
            prompts: client.stream(Stream::ClientPrompts, window),
            outputs: client.stream(Stream::ClientOutputs, window),
        });
        Some(())
    }

    /// The next request of the window that goes on.
    fn draw(&mut self) -> Option<Drawn> {
        let now = self.now.as_mut()?;
        let arrival = now.arrivals.next()?;
        let (prompt_tokens, output_tokens) =
            self.client.lengths.draw(now.start, &mut now.prompts, &mut now.outputs);
        Some(Drawn { arrival, prompt_tokens, output_tokens })
    }
}

impl Iterator for Requests {
    type Item = Drawn;

    fn next(&mut self) -> Option<Drawn> {
        loop {
            match self.draw() {
                Some(drawn) if drawn.arrival >= self.part.until => return None,
                // Drawn all the same, so that where a part begins shifts nothing.
                Some(drawn) if drawn.arrival < self.part.from => {}
                Some(drawn) => return Some(drawn),
                None => self.advance()?,
            }
        }
    }
}
