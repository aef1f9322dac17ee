use ebbflow_actors::SimDuration;
use proptest::prelude::*;

use super::*;
use crate::scenario::{Arrivals, Clients, Lengths, Sessions, ThinkTime};

const APPLICATION: ApplicationId = ApplicationId(0);

fn at(seconds: f64) -> SimTime {
    SimTime::from_secs_f64(seconds).unwrap()
}

fn pause(seconds: u64) -> ThinkTime {
    ThinkTime::Constant(SimDuration::from_secs(seconds))
}

/// Sessions of three turns: 100 tokens asked, 20 answered.
fn spec() -> SyntheticSpec {
    SyntheticSpec {
        preset: None,
        application: APPLICATION,
        shares: Vec::new(),
        arrivals: Arrivals::Uniform { rate: 0.01 },
        prompt: Lengths::Constant(100),
        output: Lengths::Constant(20),
        sessions: Some(Sessions {
            turns: Lengths::Constant(3),
            think_time: pause(10),
            max_context_tokens: None,
        }),
        prefix_groups: None,
        requests: Some(1000),
        until: None,
    }
}

fn clients(count: u32) -> SyntheticSpec {
    let clients = Clients { count, think_time: pause(2) };
    SyntheticSpec { arrivals: Arrivals::Clients(clients), sessions: None, ..spec() }
}

fn open(spec: &SyntheticSpec) -> Conversations {
    Conversations::new(spec, &[], &[APPLICATION], 7).unwrap()
}

fn answer(request: &Request, seconds: f64, completed: bool) -> Answer {
    Answer { request: request.id, at: at(seconds), completed }
}

/// Asks and answers until nothing is left: the nth request takes so long. What was asked, by id.
fn conduct(spec: &SyntheticSpec, served_s: impl Fn(u64) -> f64) -> Vec<Request> {
    let (mut conversations, mut asked) = (open(spec), Vec::new());
    let mut on_their_way: BTreeMap<(SimTime, RequestId), ()> = BTreeMap::new();
    loop {
        let end = on_their_way.first_key_value().map(|((end, _), ())| *end);
        match (conversations.due(), end) {
            (None, None) => break,
            (Some(due), end) if end.is_none_or(|end| due < end) => {
                let request = conversations.next(due).unwrap();
                let served = SimDuration::from_secs_f64(served_s(request.id.0)).unwrap();
                on_their_way.insert((request.arrival + served, request.id), ());
                asked.push(request);
            }
            _ => {
                let ((end, request), ()) = on_their_way.pop_first().unwrap();
                conversations.ended(end, Answer { request, at: end, completed: true });
            }
        }
    }
    assert!(conversations.is_over());
    asked
}

#[test]
fn a_turn_comes_when_the_user_has_thought_and_repeats_all_that_was_said() {
    let mut conversations = open(&spec());
    let first = conversations.next(at(0.0)).unwrap();
    assert_eq!((first.arrival, first.prompt_tokens, first.output_tokens), (at(0.0), 100, 20));
    conversations.ended(at(5.5), answer(&first, 5.0, true));
    assert_eq!(conversations.due(), Some(at(15.0)));
    let second = conversations.next(at(15.0)).unwrap();
    assert_eq!((second.arrival, second.prompt_tokens), (at(15.0), 220));
    let names = |request: &Request| request.attributes().prefix.clone();
    assert_eq!(names(&first).len(), 120 / 16);
    assert_eq!(names(&second)[..120 / 16], names(&first)[..], "the beginning is the same");
    assert_eq!(first.attributes().session, second.attributes().session);
    conversations.ended(at(20.0), answer(&second, 20.0, true));
    let third = conversations.next(at(30.0)).unwrap();
    assert_eq!(third.prompt_tokens, 340);
    conversations.ended(at(31.0), answer(&third, 31.0, true));
    assert_eq!(conversations.due(), Some(at(100.0)), "the next session");
}

#[test]
fn nobody_asks_before_the_answer_is_known() {
    let hasty = Sessions { think_time: pause(0), ..spec().sessions.unwrap() };
    let mut conversations = open(&SyntheticSpec { sessions: Some(hasty), ..spec() });
    let first = conversations.next(at(0.0)).unwrap();
    conversations.ended(at(5.5), answer(&first, 5.0, true));
    assert_eq!(conversations.due(), Some(at(5.5)));
}

#[test]
fn a_session_ends_before_the_turn_that_would_leave_the_context() {
    let short = Sessions { max_context_tokens: Some(359), ..spec().sessions.unwrap() };
    let asked = conduct(&SyntheticSpec { sessions: Some(short), requests: Some(6), ..spec() }, |_| 1.0);
    let prompts: Vec<u32> = asked.iter().map(|request| request.prompt_tokens).collect();
    assert_eq!(prompts, [100, 220, 100, 220, 100, 220]);
}

#[test]
fn a_first_turn_that_is_too_long_is_cut_to_the_context() {
    let tiny = Sessions { max_context_tokens: Some(15), ..spec().sessions.unwrap() };
    let asked = conduct(&SyntheticSpec { sessions: Some(tiny), requests: Some(1), ..spec() }, |_| 1.0);
    assert_eq!((asked[0].prompt_tokens, asked[0].output_tokens), (1, 14));
}

#[test]
fn who_gets_no_answer_leaves() {
    let mut conversations = open(&SyntheticSpec { until: Some(at(50.0)), ..spec() });
    let first = conversations.next(at(0.0)).unwrap();
    assert!(!conversations.is_over(), "its next turn may come");
    conversations.ended(at(1.0), answer(&first, 1.0, false));
    assert!(conversations.is_over());
}

#[test]
fn each_client_has_one_request_on_its_way() {
    let mut conversations = open(&clients(2));
    let [one, two] = [(); 2].map(|()| conversations.next(at(0.0)).unwrap());
    assert_eq!(conversations.next(at(1e6)), None, "both wait");
    conversations.ended(at(9.0), answer(&two, 9.0, true));
    assert_eq!(conversations.due(), Some(at(11.0)));
    conversations.ended(at(9.5), answer(&one, 9.5, false));
    assert_eq!(conversations.next(at(11.0)).unwrap().id, RequestId(2));
    assert_eq!(conversations.due(), Some(at(11.5)), "who was refused asks again");
    assert_eq!(one.attributes, None);
}

#[test]
fn the_last_request_is_the_last_whoever_waits() {
    let asked = conduct(&SyntheticSpec { requests: Some(5), ..clients(3) }, |_| 1.0);
    assert_eq!(asked.len(), 5);
    let until = SyntheticSpec { requests: None, until: Some(at(30.0)), ..clients(3) };
    assert!(conduct(&until, |_| 1.0).iter().all(|request| request.arrival < at(30.0)));
}

#[test]
fn how_many_come_is_known_beforehand_unless_time_ends_them() {
    assert_eq!(open(&clients(3)).expected(), Some(1000));
    assert_eq!(open(&SyntheticSpec { until: Some(at(30.0)), ..spec() }).expected(), None);
}

#[test]
fn what_was_over_is_forgotten() {
    let mut conversations = open(&spec());
    for _ in 0..300 {
        let request = conversations.next(conversations.due().unwrap()).unwrap();
        let end = request.arrival.as_secs_f64() + 1.0;
        conversations.ended(at(end), answer(&request, end, true));
        assert!(conversations.coming.len() <= 2 && conversations.asked.is_empty());
    }
}

#[test]
fn settings_that_make_no_sense_are_refused_by_name() {
    let wrong = |spec: SyntheticSpec, name: &str| {
        let error = Conversations::new(&spec, &[], &[APPLICATION], 0).unwrap_err().to_string();
        assert!(error.starts_with(name), "{error}");
    };
    wrong(clients(0), "clients.count");
    let tiny = Sessions { max_context_tokens: Some(1), ..spec().sessions.unwrap() };
    wrong(SyntheticSpec { sessions: Some(tiny), ..spec() }, "sessions.max_context_tokens");
    wrong(SyntheticSpec { requests: None, ..spec() }, "the length");
}

proptest! {
    /// Lengths by conversation and turn are what they are, however long answers take.
    #[test]
    fn the_order_of_answers_changes_no_draw(seed in 0u64..1000, count in 1u32..6) {
        let drawn = SyntheticSpec {
            prompt: Lengths::Lognormal { mu: 5.0, sigma: 1.0, max: 4000 },
            output: Lengths::Lognormal { mu: 4.0, sigma: 1.0, max: 1000 },
            sessions: Some(Sessions {
                turns: Lengths::Lognormal { mu: 1.0, sigma: 0.7, max: 20 },
                think_time: ThinkTime::Exponential { mean_s: 5.0 },
                max_context_tokens: Some(8000),
            }),
            requests: Some(200),
            ..clients(count)
        };
        let served = |factor: u64| move |id: u64| ((id + seed) * factor % 97 + 1) as f64;
        let turns = |requests: Vec<Request>| {
            let mut sessions: BTreeMap<u64, Vec<(u32, u32)>> = BTreeMap::new();
            for request in requests {
                let session = request.attributes().session.unwrap().0;
                sessions.entry(session).or_default().push((request.prompt_tokens, request.output_tokens));
            }
            sessions
        };
        let (some, others) = (turns(conduct(&drawn, served(31))), turns(conduct(&drawn, served(53))));
        for (session, turns) in &some {
            // The last ones of either may have been cut short.
            if let Some(other) = others.get(session) {
                let both = turns.len().min(other.len());
                prop_assert_eq!(&turns[..both], &other[..both]);
            }
        }
    }
}
