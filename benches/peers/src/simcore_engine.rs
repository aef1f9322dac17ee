//! The load on simcore, the core of DSLab. Its times are seconds in floating point.

use std::cell::RefCell;
use std::rc::Rc;

use serde::Serialize;
use simcore::{Event, EventHandler, Id, Simulation, SimulationContext, cast};

use crate::engine::{Measured, Time};
use crate::numbers::{Books, MESSAGE_NS, Numbers, Queue, SAMPLE_NS};

#[derive(Clone, Serialize)]
struct Tick {}
#[derive(Clone, Serialize)]
struct Arrival {}
#[derive(Clone, Serialize)]
struct Look {}
#[derive(Clone, Serialize)]
struct Job {
    ticks: u64,
}
#[derive(Clone, Serialize)]
struct Done {
    worker: u32,
}
#[derive(Clone, Serialize)]
struct Sample {}
#[derive(Clone, Serialize)]
struct InHand {
    jobs: u64,
}

fn seconds(nanos: u64) -> f64 {
    nanos as f64 * 1e-9
}

struct Worker {
    context: SimulationContext,
    dispatcher: Id,
    number: u32,
    numbers: Numbers,
    queue: Queue,
    events: u64,
}

impl EventHandler for Worker {
    fn on(&mut self, event: Event) {
        self.events += 1;
        cast!(match event.data {
            Tick {} => {
                for _ in 0..self.queue.tick() {
                    self.context.emit(Done { worker: self.number }, self.dispatcher, seconds(MESSAGE_NS));
                }
                self.context.emit_self(Tick {}, seconds(self.numbers.gap_ns()));
            }
            Job { ticks } => {
                self.queue.take(ticks);
            }
        })
    }
}

struct Dispatcher {
    context: SimulationContext,
    controller: Id,
    workers: Vec<Id>,
    numbers: Numbers,
    books: Books,
    events: u64,
}

impl Dispatcher {
    fn dispatch(&mut self) {
        let chosen = self.books.choose(&mut self.numbers);
        let ticks = self.numbers.job_ticks();
        self.context.emit(Job { ticks }, self.workers[chosen], seconds(MESSAGE_NS));
        self.wait();
    }

    fn wait(&mut self) {
        let gap = self.numbers.arrival_ns(self.workers.len() as u32);
        self.context.emit_self(Arrival {}, seconds(gap));
    }
}

impl EventHandler for Dispatcher {
    fn on(&mut self, event: Event) {
        self.events += 1;
        cast!(match event.data {
            Arrival {} => {
                self.dispatch();
            }
            Done { worker } => {
                self.books.done(worker);
            }
            Sample {} => {
                let jobs = self.books.total();
                self.context.emit(InHand { jobs }, self.controller, seconds(MESSAGE_NS));
            }
        })
    }
}

struct Controller {
    context: SimulationContext,
    dispatcher: Id,
    most_in_hand: u64,
    events: u64,
}

impl EventHandler for Controller {
    fn on(&mut self, event: Event) {
        self.events += 1;
        cast!(match event.data {
            Look {} => {
                self.context.emit(Sample {}, self.dispatcher, seconds(MESSAGE_NS));
                self.context.emit_self(Look {}, seconds(SAMPLE_NS));
            }
            InHand { jobs } => {
                self.most_in_hand = self.most_in_hand.max(jobs);
            }
        })
    }
}

/// A simulation and everybody in it.
struct World {
    simulation: Simulation,
    workers: Vec<Rc<RefCell<Worker>>>,
    dispatcher: Rc<RefCell<Dispatcher>>,
    controller: Rc<RefCell<Controller>>,
}

pub fn measure(entities: u32, end_s: f64) -> Measured {
    let (mut world, start) = Time::of(|| build(entities));
    let (_, run) = Time::of(|| world.simulation.step_until_time(end_s));
    let workers: u64 = world.workers.iter().map(|worker| worker.borrow().events).sum();
    let events = workers + world.dispatcher.borrow().events + world.controller.borrow().events;
    Measured { events, start, run }
}

fn build(entities: u32) -> World {
    let mut simulation = Simulation::new(0);
    let (office, desk) = (simulation.create_context("dispatcher"), simulation.create_context("controller"));
    let (dispatcher_id, controller_id) = (office.id(), desk.id());
    let workers: Vec<_> = (0..entities).map(|number| hire(&mut simulation, number, dispatcher_id)).collect();
    desk.emit_self(Look {}, seconds(SAMPLE_NS));
    let controller = Controller { context: desk, dispatcher: dispatcher_id, most_in_hand: 0, events: 0 };
    let controller = Rc::new(RefCell::new(controller));
    let mut dispatcher = Dispatcher {
        context: office,
        controller: controller_id,
        workers: workers.iter().map(|worker| worker.borrow().context.id()).collect(),
        numbers: Numbers::new(0),
        books: Books::new(entities),
        events: 0,
    };
    dispatcher.wait();
    let dispatcher = Rc::new(RefCell::new(dispatcher));
    simulation.add_handler("dispatcher", dispatcher.clone());
    simulation.add_handler("controller", controller.clone());
    World { simulation, workers, dispatcher, controller }
}

fn hire(simulation: &mut Simulation, number: u32, dispatcher: Id) -> Rc<RefCell<Worker>> {
    let name = format!("worker_{number}");
    let context = simulation.create_context(&name);
    let mut numbers = Numbers::new(u64::from(number) + 1);
    let mut queue = Queue::default();
    queue.take(numbers.rest_of_a_job());
    context.emit_self(Tick {}, seconds(numbers.first_gap_ns()));
    let worker = Rc::new(RefCell::new(Worker { context, dispatcher, number, numbers, queue, events: 0 }));
    simulation.add_handler(&name, worker.clone());
    worker
}
