//! Whatever is typed, reading it ends with a scenario or with problems.

use proptest::prelude::*;

use crate::support::repository;
use crate::support::scenarios::{GOOD, read};

fn texts() -> Vec<String> {
    let mut texts = vec![GOOD.to_owned()];
    let configs = repository().join("configs");
    for name in ["default", "example", "concurrent-drain", "stepwise-shared-server"] {
        let path = configs.join(name).with_extension("yaml");
        texts.push(std::fs::read_to_string(path).expect("it is shipped"));
    }
    texts
}

fn cut(text: &str, at: usize) -> usize {
    (0..=at % (text.len() + 1)).rev().find(|&index| text.is_char_boundary(index)).unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn scenarios_never_panic(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<usize>(), 0usize..12, "[-{}\\[\\],:&*!|>'\"#%@\\\\ \na-z0-9.~µ]{0,6}"), 1..6),
    ) {
        let texts = texts();
        let mut text = which.get(&texts).clone();
        for (at, length, insert) in edits {
            let from = cut(&text, at);
            let to = cut(&text, (from + length).min(text.len())).max(from);
            text.replace_range(from..to, &insert);
        }
        if let Err(errors) = read(&text, &[]) {
            prop_assert!(!errors.problems().is_empty(), "no problem is named:\n{text}");
            prop_assert!(errors.problems().iter().all(|problem| !problem.message.is_empty()));
        }
    }

    #[test]
    fn overrides_never_panic(given in "(seed|cluster(.servers(.0(.sku|.count)?)?)?|applications.0.scheduler|workload(.rate)?|actions|start_state)=[-{}\\[\\],:&*!'\"# a-z0-9.~]{0,12}") {
        if let Err(errors) = read(GOOD, &[&given]) {
            prop_assert!(!errors.problems().is_empty(), "no problem is named: {given}");
        }
    }
}
