//! `workload.sessions`, `workload.clients`, `workload.prefix_groups`: who asks.

use super::forms::{Form, Object, any, count, number, time};
use super::workload::lengths;

/// Conversations of several turns.
pub fn sessions() -> Form {
    Object::default()
        .must("turns", lengths().about("how many a session has, drawn as lengths are"))
        .must("think_time", think_time().about("from an answer to the next turn"))
        .key(
            "max_context_tokens",
            count_of_context().unit("tokens").about("a session ends before a turn that would be longer"),
        )
        .form()
}

/// A closed loop.
pub fn clients() -> Form {
    let spelt = Object::default()
        .must("count", count(1).unit("clients").about("how many ask at a time"))
        .key("think_time", think_time().about("from the end of a request, or session, to the client's next"))
        .form();
    any([count(1).unit("clients").about("how many ask at a time"), spelt])
}

/// System prompts.
pub fn prefix_groups() -> Form {
    Object::default()
        .must("count", count(1).with("maximum", 1_000_000).about("how many there are"))
        .must("tokens", count(1).with("maximum", 5_000_000).unit("tokens").about("length of each"))
        .key(
            "zipf",
            number(0.0, f64::INFINITY).about("0: all equally often; 1: the nth a nth as often as the first"),
        )
        .form()
}

fn count_of_context() -> Form {
    count(2).with("maximum", 10_000_000)
}

fn think_time() -> Form {
    let exponential = Object::default().must("mean", time().about("of all")).form();
    let uniform = Object::default()
        .must("min", time().about("at least"))
        .must("max", time().about("at most, not below `min`"))
        .form();
    let lognormal = Object::default()
        .must("median", time().about("half are longer"))
        .must("sigma", number(0.0, f64::INFINITY).about("standard deviation of the logarithm"))
        .key("max", time().about("what is longer is cut to this; a day unless given"))
        .form();
    let drawn = Object::default()
        .key("exponential", exponential.about("mostly short, some much longer"))
        .key("uniform", uniform.about("anything between, equally likely"))
        .key("lognormal", lognormal.about("most near the median, some much longer"))
        .one();
    any([time(), drawn])
}
