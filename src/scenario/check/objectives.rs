//! Objectives on the gaps between output tokens: only engines that tell when each token is out can be held to them.

use std::ops::Range;

use super::Sections;
use crate::ids::Tag;
use crate::scenario::reader::At;
use crate::scenario::spec::{EngineSpec, StartState};
use crate::slo::{LatencyKind, Objective, Slo};

impl Sections<'_, '_> {
    /// Records every objective that the instances leave without figures.
    pub(super) fn check_objectives(&self) {
        let silent = self.engines().into_iter().find(|engine| !engine.tells_gaps());
        if let Some(slo) = self.slo {
            refuse_where(slo, &self.top.descend(&["slo"]), |objective| {
                let latency = objective.latency;
                silent.filter(|_| latency.is_of_gaps()).map(|engine| untold(latency, engine))
            });
        }
        let Some(workload) = self.workload.filter(|workload| !workload.classes.is_empty()) else { return };
        let places = self.top.descend(&["workload", "classes"]).list().unwrap_or_default();
        for (class, at) in workload.classes.iter().zip(places) {
            let Some(slo) = &class.slo else { continue };
            refuse_where(slo, &at.descend(&["slo"]), |objective| match objective.latency {
                LatencyKind::TokenGap => Some(not_by_class()),
                latency => silent.filter(|_| latency.is_of_gaps()).map(|engine| untold(latency, engine)),
            });
        }
    }

    /// The engine of every instance that there is at the start, or may come.
    fn engines(&self) -> Vec<EngineSpec> {
        let tags = [None, Some(Tag::Prompt), Some(Tag::Token), Some(Tag::Mixed)];
        let applications = self.applications.iter().map(|application| application.spec.id);
        let of_any = applications.flat_map(|id| tags.map(|tag| self.start.config_for(id, tag).engine));
        let packed = match self.start {
            StartState::Packed { entries, .. } => entries.as_slice(),
            _ => &[],
        };
        of_any.chain(packed.iter().map(|entry| entry.instance.engine)).collect()
    }
}

/// What is wrong with an objective, and what to do.
type Wrong = (String, &'static str);

fn untold(latency: LatencyKind, engine: EngineSpec) -> Wrong {
    let engine = engine.name();
    (
        format!("engine `{engine}` does not tell when tokens are out, so there is no `{latency}`"),
        "only `vllm` does: set `instance_type: vllm` in `start_state`; or judge the mean gap of each request, `tbt` or \
         `tpot`",
    )
}

fn not_by_class() -> Wrong {
    (
        "gaps between tokens are counted by instance, not by class".to_owned(),
        "use `longest_gap`, which every request has of its own; `token_gap` belongs in the scenario's `slo`",
    )
}

/// Refuses each objective that has something wrong, under its own part of the text.
fn refuse_where(slo: &Slo, at: &At<'_>, wrong: impl Fn(&Objective) -> Option<Wrong>) {
    let parts = parts(at.text().unwrap_or_default());
    for (objective, part) in slo.objectives().iter().zip(parts) {
        if let Some((message, help)) = wrong(objective) {
            at.refuse_part(&part, message, Some(help.to_owned()));
        }
    }
}

/// Where the objectives stand in their text, without the blanks around them.
fn parts(text: &str) -> Vec<Range<usize>> {
    let mut begin = 0;
    let part = |part: &str| {
        let first = begin + part.len() - part.trim_start().len();
        begin += part.len() + 1;
        first..first + part.trim().len()
    };
    text.split(',').map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn parts_leave_the_blanks_around_them_out() {
        let text = "ttft.p99<2s,  itl.p99<50ms , e2e.max<9s";
        let found: Vec<&str> = parts(text).into_iter().map(|part| &text[part]).collect();
        assert_eq!(found, ["ttft.p99<2s", "itl.p99<50ms", "e2e.max<9s"]);
    }
}
