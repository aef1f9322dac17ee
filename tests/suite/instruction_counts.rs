//! The committed instruction counts can be read, compared and written again. Counting itself is the business of
//! `cargo bench --bench instructions`.

#[path = "../../benches/instructions/comparison.rs"]
mod comparison;
#[path = "../../benches/instructions/counts.rs"]
mod counts;

use comparison::Comparison;
use counts::Counts;

#[test]
fn the_committed_counts_are_complete_and_hold_against_themselves() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions/counts.txt");
    let text = std::fs::read_to_string(path).unwrap();
    let counts: Counts = text.parse().unwrap();
    assert_eq!(counts.to_string(), text);
    assert!(counts.toolchain.starts_with("rustc "), "{}", counts.toolchain);
    assert!(counts.paths.iter().all(|(name, count)| *count > 0.0 && counts.of(name) == Some(*count)));
    assert!(Comparison::new(&counts, counts.paths.clone(), "").holds());
}

#[test]
fn what_was_written_is_read_again() {
    let paths = vec![("wheel/near".to_owned(), 812.5), ("a = b".to_owned(), 3.0)];
    let counts = Counts { toolchain: "rustc 1.95.0 (abc), glibc 2.36".to_owned(), paths };
    assert_eq!(counts.to_string().parse(), Ok(counts.clone()));
    assert_eq!((counts.of("wheel/near"), counts.of("wheel")), (Some(812.5), None));
}

#[test]
fn a_line_that_is_no_count_is_named() {
    let error = "# head\nwheel/near = many\n".parse::<Counts>().unwrap_err();
    assert!(error.contains("line 2") && error.contains("--save"), "{error}");
}

fn compare(committed: &[(&str, f64)], now: &[(&str, f64)], filter: &str) -> Comparison {
    let own = |counts: &[(&str, f64)]| -> Vec<(String, f64)> {
        counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    };
    let committed = Counts { toolchain: String::new(), paths: own(committed) };
    Comparison::new(&committed, own(now), filter)
}

#[test]
fn three_per_cent_hold_and_more_fail_up_or_down() {
    for (now, holds) in [(1_029.0, true), (971.0, true), (1_031.0, false), (969.0, false)] {
        let comparison = compare(&[("wheel", 1_000.0)], &[("wheel", now)], "");
        assert_eq!(comparison.holds(), holds, "{now}");
        assert_eq!(comparison.to_string().contains("--save"), !holds, "{comparison}");
    }
}

#[test]
fn a_path_without_a_count_and_a_count_without_a_path_fail() {
    assert!(!compare(&[], &[("wheel", 1.0)], "").holds());
    assert!(!compare(&[("wheel", 1.0)], &[], "").holds());
    assert!(compare(&[("wheel", 1.0), ("window", 1.0)], &[("window", 1.0)], "win").holds());
}

#[test]
fn every_path_has_a_line_with_its_change() {
    let text = compare(&[("wheel", 200.0)], &[("wheel", 250.0)], "").to_string();
    assert!(text.contains("+25.00 %"), "{text}");
}
