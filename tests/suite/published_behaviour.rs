//! What is known of autoscalers from their own documents and users, seen again in `configs/autoscalers`. The page
//! beside those scenarios compares; what it says of Ebbflow is held here.

use ebbflow::compare::Figures;
use ebbflow::ids::Tag;
use ebbflow::registry::Registry;
use ebbflow::results::{Report, RunResults};
use ebbflow::scaling::{DecisionRow, Limiter};
use ebbflow::scenario;

use crate::support::repository;
use crate::support::run::{application, sequential};
use crate::support::run_scenario;
use crate::support::scaling::{assert_all_completed, assert_sound, at};

/// A shipped scenario that was run.
struct Study {
    results: RunResults,
    figures: Figures,
}

impl Study {
    /// Runs the scenario of this name, with overrides of the settings of its manager.
    fn run(name: &str, settings: &[&str]) -> Study {
        let path = repository().join("configs/autoscalers").join(name).with_extension("yaml");
        let overrides: Vec<String> =
            settings.iter().map(|given| format!("applications.0.scaling_manager.{given}")).collect();
        let scenario = scenario::load(&path, &overrides, &Registry::builtin())
            .unwrap_or_else(|problems| panic!("{problems}"));
        let results = run_scenario(&scenario, &sequential());
        assert_sound(application(&results), &results);
        assert_all_completed(application(&results));
        let figures = Figures::of(&Report::new(&results, &scenario), &results);
        Study { results, figures }
    }

    fn decisions(&self) -> &[DecisionRow] {
        &application(&self.results).decisions
    }

    /// When instances were ordered, in seconds; those of the start state are not among them.
    fn starts_s(&self, tag: Option<Tag>) -> Vec<f64> {
        let own = application(&self.results).instances.iter().filter(|one| one.tag == tag);
        let created = own.map(|one| one.created.as_secs_f64());
        created.filter(|&at_s| at_s > 0.0).collect()
    }

    /// When drains began, in seconds, in order.
    fn drains_s(&self, tag: Option<Tag>) -> Vec<f64> {
        let own = application(&self.results).instances.iter().filter(|one| one.tag == tag);
        let mut drains: Vec<f64> =
            own.filter_map(|one| one.draining).map(|time| time.as_secs_f64()).collect();
        drains.sort_by(f64::total_cmp);
        drains
    }

    fn attainment(&self) -> f64 {
        self.figures.requests.attainment.expect("the scenario has objectives")
    }
}

/// The rush lasts from 120 to 180 s, and a look may see it 15 s later.
#[test]
fn hpa_meets_a_rush_at_once_and_shrinks_in_the_minute_after_the_fifth() {
    let study = Study::run("hpa-reluctance", &[]);
    let (starts, drains) = (study.starts_s(None), study.drains_s(None));
    assert!(starts.len() == 3 && starts.iter().all(|start| (120.0..180.0).contains(start)), "{starts:?}");
    assert!(drains.len() == 3 && drains.iter().all(|drain| (480.0..540.0).contains(drain)), "{drains:?}");
    let why = study.decisions().iter().find(|row| row.limited_by == Some(Limiter::Stabilisation));
    assert!(why.is_some_and(|row| row.time == at(210.0) && row.wanted == Some(4)), "{why:?}");

    let eager = Study::run("hpa-reluctance", &["autoscaling_policy.hpa.downscale_stabilization=30"]);
    let drains = eager.drains_s(None);
    assert!(drains.len() == 3 && drains.iter().all(|drain| (210.0..270.0).contains(drain)), "{drains:?}");
    assert!(study.figures.gpu_hours > 1.5 * eager.figures.gpu_hours, "that is what reluctance costs");
}

/// The burst begins at 120 s and is 32 times the load.
#[test]
fn kpa_panics_within_seconds_of_a_burst_and_holds_the_fleet_for_a_stable_window() {
    let study = Study::run("kpa-panic", &[]);
    let (starts, drains) = (study.starts_s(None), study.drains_s(None));
    let panic = study.decisions().iter().find(|row| row.reason.starts_with("panic"));
    assert!(panic.is_some_and(|row| (120.0..126.0).contains(&row.time.as_secs_f64())), "{panic:?}");
    assert!(starts.len() == 23 && starts.iter().all(|start| (120.0..136.0).contains(start)), "{starts:?}");
    assert!((134.0 + 60.0..134.0 + 80.0).contains(&drains[0]), "not one goes before: {drains:?}");

    let out_of_reach =
        ["autoscaling_policy.kpa.panic_threshold=10", "autoscaling_policy.kpa.panic_window_share=1"];
    let calm = Study::run("kpa-panic", &out_of_reach);
    assert!(!calm.decisions().iter().any(|row| row.reason.starts_with("panic")));
    let soon = |study: &Study| study.starts_s(None).iter().filter(|&&start| start < 136.0).count();
    assert!(soon(&study) > 4 * soon(&calm), "{} against {}", soon(&study), soon(&calm));
    assert!(study.figures.requests.ttft_p99_s < calm.figures.requests.ttft_p99_s, "what panic is for");
    assert!(study.figures.gpu_hours > calm.figures.gpu_hours, "and what it costs");
}

#[test]
fn heteroscale_flaps_under_constant_load_with_cooldowns_of_a_second_and_rests_when_mended() {
    let flapping = Study::run("heteroscale-flapping", &[]);
    assert!(flapping.figures.flaps >= 20.0, "{:?}", flapping.figures);
    let mended = Study::run("heteroscale-flapping", &["autoscaling_policy.heteroscale.faithful=false"]);
    assert!(mended.figures.flaps <= 2.0, "{:?}", mended.figures);
    assert!(flapping.figures.gpu_hours > 2.0 * mended.figures.gpu_hours);
    let cooldowns = [
        "autoscaling_policy.heteroscale.scale_out_cooldown=180",
        "autoscaling_policy.heteroscale.scale_in_cooldown=600",
    ];
    let slow = Study::run("heteroscale-flapping", &cooldowns);
    assert!(slow.figures.flaps <= 4.0, "long cooldowns hide it: {:?}", slow.figures);
}

#[test]
fn a_cold_start_of_a_hundred_seconds_breaks_a_loop_that_keeps_its_objectives_with_ten() {
    let with_delay = |delay_s: u32| Study::run("cold-start-sla", &[&format!("scale_up_delay={delay_s}")]);
    let [fast, slow, slower] = [10, 100, 215].map(with_delay);
    let met = [&fast, &slow, &slower].map(|study| study.figures.requests.met);
    assert_eq!(met, [Some(true), Some(false), Some(false)]);
    assert!(fast.attainment() > 0.95, "{}", fast.attainment());
    assert!(slow.attainment() < fast.attainment() - 0.1, "{}", slow.attainment());
    assert!(slower.attainment() < slow.attainment() - 0.3, "{}", slower.attainment());
    // It is not for want of an answer, which comes at the same time and asks for the same fleet.
    assert_eq!(fast.starts_s(None)[0], slow.starts_s(None)[0]);
    assert_eq!(fast.starts_s(None).len(), slow.starts_s(None).len());
    assert_eq!(Study::run("cold-start-sla", &[]).attainment(), slow.attainment(), "the file says 100 s");
}

/// The load ends, but for a request every 5 s, at 300 s.
#[test]
fn hpa_gpu_grows_a_decode_pool_and_never_shrinks_it_and_does_when_mended() {
    let token = Some(Tag::Token);
    let faithful = Study::run("hpa-gpu-decode", &[]);
    assert!(faithful.starts_s(token).len() >= 4, "{:?}", faithful.starts_s(token));
    assert_eq!(faithful.drains_s(token), [] as [f64; 0]);

    let mended = Study::run("hpa-gpu-decode", &["autoscaling_policy.hpa_gpu.faithful=false"]);
    assert_eq!(mended.starts_s(token), [] as [f64; 0], "four were enough");
    let drains = mended.drains_s(token);
    assert!(drains.len() == 3 && drains.iter().all(|drain| (300.0..420.0).contains(drain)), "{drains:?}");
    assert!(faithful.figures.gpu_hours > 2.0 * mended.figures.gpu_hours);
}
