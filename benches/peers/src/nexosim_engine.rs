//! The load on NeXosim.
//!
//! Its ports deliver at once, without the millisecond a message takes elsewhere: that is how NeXosim models are
//! written, and it saves NeXosim an event for each message.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nexosim::Message;
use nexosim::model::{Context, Model, schedulable};
use nexosim::ports::Output;
use nexosim::simulation::{Mailbox, SimInit, Simulation};
use nexosim::time::MonotonicTime;
use serde::{Deserialize, Serialize};

use crate::engine::{Measured, Time};
use crate::numbers::{Books, Numbers, Queue, SAMPLE_NS};

/// What all models have handled; each adds its count when it is dropped.
static EVENTS: AtomicU64 = AtomicU64::new(0);

#[derive(Clone, Copy, Serialize, Deserialize, Message)]
struct Job {
    ticks: u64,
}

#[derive(Clone, Copy, Serialize, Deserialize, Message)]
struct Done {
    worker: u32,
}

#[derive(Default, Serialize, Deserialize)]
struct Count(u64);

impl Drop for Count {
    fn drop(&mut self) {
        EVENTS.fetch_add(self.0, Ordering::Relaxed);
    }
}

#[derive(Serialize, Deserialize)]
struct Worker {
    number: u32,
    numbers: Numbers,
    queue: Queue,
    done: Output<Done>,
    events: Count,
}

#[Model]
impl Worker {
    #[nexosim(init)]
    async fn init(&mut self, context: &Context<Self>) {
        let left = self.numbers.rest_of_a_job();
        self.queue.take(left);
        let gap = self.numbers.first_gap_ns();
        self.wait(gap, context);
    }

    #[nexosim(schedulable)]
    async fn tick(&mut self, _: (), context: &Context<Self>) {
        self.events.0 += 1;
        for _ in 0..self.queue.tick() {
            self.done.send(Done { worker: self.number }).await;
        }
        let gap = self.numbers.gap_ns();
        self.wait(gap, context);
    }

    pub fn job(&mut self, job: Job) {
        self.events.0 += 1;
        self.queue.take(job.ticks);
    }

    fn wait(&self, nanos: u64, context: &Context<Self>) {
        let set = context.schedule_event(Duration::from_nanos(nanos), schedulable!(Self::tick), ());
        set.expect("the delay is above zero");
    }
}

#[derive(Serialize, Deserialize)]
struct Dispatcher {
    numbers: Numbers,
    books: Books,
    workers: Vec<Output<Job>>,
    in_hand: Output<u64>,
    events: Count,
}

#[Model]
impl Dispatcher {
    #[nexosim(init)]
    async fn init(&mut self, context: &Context<Self>) {
        self.wait(context);
    }

    #[nexosim(schedulable)]
    async fn arrival(&mut self, _: (), context: &Context<Self>) {
        self.events.0 += 1;
        let chosen = self.books.choose(&mut self.numbers);
        let ticks = self.numbers.job_ticks();
        self.workers[chosen].send(Job { ticks }).await;
        self.wait(context);
    }

    pub fn done(&mut self, done: Done) {
        self.events.0 += 1;
        self.books.done(done.worker);
    }

    pub async fn sample(&mut self) {
        self.events.0 += 1;
        self.in_hand.send(self.books.total()).await;
    }

    fn wait(&mut self, context: &Context<Self>) {
        let gap = Duration::from_nanos(self.numbers.arrival_ns(self.workers.len() as u32));
        let set = context.schedule_event(gap, schedulable!(Self::arrival), ());
        set.expect("the delay is above zero");
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Controller {
    most_in_hand: u64,
    sample: Output<()>,
    events: Count,
}

#[Model]
impl Controller {
    #[nexosim(init)]
    async fn init(&mut self, context: &Context<Self>) {
        self.wait(context);
    }

    #[nexosim(schedulable)]
    async fn look(&mut self, _: (), context: &Context<Self>) {
        self.events.0 += 1;
        self.sample.send(()).await;
        self.wait(context);
    }

    pub fn in_hand(&mut self, jobs: u64) {
        self.events.0 += 1;
        self.most_in_hand = self.most_in_hand.max(jobs);
    }

    fn wait(&self, context: &Context<Self>) {
        let set = context.schedule_event(Duration::from_nanos(SAMPLE_NS), schedulable!(Self::look), ());
        set.expect("the delay is above zero");
    }
}

pub fn measure(entities: u32, seconds: f64) -> Measured {
    let (mut simulation, start) = Time::of(|| build(entities));
    let end = MonotonicTime::EPOCH + Duration::from_secs_f64(seconds);
    let (ended, run) = Time::of(|| simulation.step_until(end));
    ended.expect("the load has no deadlock");
    drop(simulation);
    Measured { events: EVENTS.load(Ordering::Relaxed), start, run }
}

fn build(entities: u32) -> Simulation {
    let (office, desk) = (Mailbox::new(), Mailbox::new());
    let mut controller = Controller::default();
    controller.sample.connect(Dispatcher::sample, &office);
    let mut dispatcher = Dispatcher {
        numbers: Numbers::new(0),
        books: Books::new(entities),
        workers: Vec::new(),
        in_hand: Output::default(),
        events: Count::default(),
    };
    dispatcher.in_hand.connect(Controller::in_hand, &desk);
    let mut bench = SimInit::with_num_threads(1);
    for number in 0..entities {
        let mailbox = Mailbox::new();
        let numbers = Numbers::new(u64::from(number) + 1);
        let mut worker = Worker {
            number,
            numbers,
            queue: Queue::default(),
            done: Output::default(),
            events: Count::default(),
        };
        worker.done.connect(Dispatcher::done, &office);
        let mut output = Output::default();
        output.connect(Worker::job, &mailbox);
        dispatcher.workers.push(output);
        bench = bench.add_model(worker, mailbox, "worker");
    }
    let bench = bench.add_model(dispatcher, office, "dispatcher").add_model(controller, desk, "controller");
    bench.init(MonotonicTime::EPOCH).expect("the load is well connected")
}
