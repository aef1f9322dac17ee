//! The scenarios, as data.

/// What one run of `ebbflow run` is given.
#[derive(Debug)]
pub struct Scenario {
    /// `group: what`.
    pub name: &'static str,
    /// At the start, one on each server.
    pub instances: u32,
    /// So many come and as many go, within a minute.
    pub come_and_go: u32,
    pub requests_per_s: f64,
    pub requests: u64,
    pub files: Files,
    /// Minutes: only run when it is named.
    pub only_named: bool,
}

/// Which results are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Files {
    /// All tables.
    All,
    /// And the page.
    Page,
    /// None with a row for every request.
    Summary,
    None,
}

const BASE: Scenario = Scenario {
    name: "",
    instances: 2_000,
    come_and_go: 0,
    requests_per_s: 4_000.0,
    requests: 100_000,
    files: Files::All,
    only_named: false,
};

pub const SCENARIOS: [Scenario; 10] = [
    // As many requests as the conversation trace of Azure 2023 has in an hour.
    Scenario { name: "hour: 8 instances", instances: 8, requests_per_s: 5.53, requests: 19_366, ..BASE },
    Scenario { name: "growth: 2,000 instances, 100,000 requests", ..BASE },
    Scenario { name: "growth: twice the requests", requests: 200_000, ..BASE },
    Scenario {
        name: "growth: twice the requests and instances",
        instances: 4_000,
        requests_per_s: 8_000.0,
        requests: 200_000,
        ..BASE
    },
    Scenario { name: "million: 1,000,000 requests, 2,000 instances", requests: 1_000_000, ..BASE },
    Scenario { name: "million: the same with its page", requests: 1_000_000, files: Files::Page, ..BASE },
    Scenario {
        name: "huge: 10,000,000 requests, 20,000 instances",
        instances: 20_000,
        requests_per_s: 40_000.0,
        requests: 10_000_000,
        files: Files::Summary,
        only_named: true,
        ..BASE
    },
    Scenario {
        name: "storm: 10,000 come, 10,000 go",
        instances: 10_000,
        come_and_go: 10_000,
        requests_per_s: 3_000.0,
        requests: 270_000,
        ..BASE
    },
    Scenario { name: "idle: 1 instance", instances: 1, requests: 1, files: Files::None, ..BASE },
    Scenario { name: "idle: 100,000 instances", instances: 100_000, requests: 1, files: Files::None, ..BASE },
];

/// A figure made of two scenarios.
pub struct Figure {
    pub what: &'static str,
    pub of: &'static str,
    pub against: &'static str,
    pub kind: Kind,
}

pub enum Kind {
    /// CPU time and wall clock of one, in those of the other.
    Times,
    /// What one holds in memory more than the other, shared out among so many.
    BytesEach(u32),
}

pub const FIGURES: [Figure; 3] = [
    Figure {
        what: "time for twice the requests",
        of: "growth: twice the requests",
        against: "growth: 2,000 instances, 100,000 requests",
        kind: Kind::Times,
    },
    Figure {
        what: "time for twice the requests and instances",
        of: "growth: twice the requests and instances",
        against: "growth: 2,000 instances, 100,000 requests",
        kind: Kind::Times,
    },
    Figure {
        what: "memory per idle instance",
        of: "idle: 100,000 instances",
        against: "idle: 1 instance",
        kind: Kind::BytesEach(99_999),
    },
];

/// In how many operations a storm breaks out, each way.
const GUSTS: u32 = 50;

impl Scenario {
    /// As a scenario file.
    pub fn yaml(&self) -> String {
        let Scenario { instances, requests_per_s, requests, .. } = self;
        let scaling = if self.come_and_go > 0 { ", scaling_manager: {}" } else { "" };
        format!(
            "cluster: {{servers: [{{sku: dgx-h100, count: {instances}}}]}}\n\
             applications:\n\
             \x20 - {{model_architecture: bloom-176b, model_size: bloom-176b-fp16, scheduler: token_jsq{scaling}}}\n\
             start_state: baseline\n\
             workload: {{preset: azure-conv, rate: {requests_per_s}, requests: {requests}}}\n"
        ) + &self.actions()
    }

    /// From 10 s on, for not quite a minute: some start, and as many of the first drain.
    fn actions(&self) -> String {
        if self.come_and_go == 0 {
            return String::new();
        }
        let count = self.come_and_go / GUSTS;
        let gust = |turn: u32| {
            let at = 10.0 + 60.0 * f64::from(turn) / f64::from(GUSTS);
            let leaving: Vec<_> = (turn * count..(turn + 1) * count).collect();
            format!(
                " - {{at: {at}, scale_up_full: {{count: {count}}}}}\n - {{at: {at}, scale_down_full: {{instances: {leaving:?}}}}}\n"
            )
        };
        "actions:\n".to_owned() + &(0..GUSTS).map(gust).collect::<String>()
    }
}
