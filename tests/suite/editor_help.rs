//! What helps who types: completions for shells, manual pages, a scenario to start from.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::desk::{Desk, code, entries, stderr, stdout};
use crate::support::scenarios::read;
use crate::support::schema::Schema;
use crate::support::shipped::shipped;

/// The subcommands, as `--help` lists them.
fn subcommands() -> Vec<String> {
    let help = stdout(&Desk::new().ebbflow(&["--help"]));
    let lines = help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1);
    let listed = lines.take_while(|line| line.starts_with("  "));
    let names =
        listed.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn there_is_a_manual_page_for_the_command_and_for_each_subcommand() {
    let desk = Desk::new();
    let run = desk.ebbflow(&["man", "--out", "pages"]);
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    let main = fs::read_to_string(desk.path("pages/ebbflow.1")).unwrap();
    assert_eq!(stdout(&desk.ebbflow(&["man"])).trim(), main.trim());
    assert!(subcommands().len() >= 9, "{:?}", subcommands());
    for name in subcommands() {
        assert!(main.contains(&format!("ebbflow\\-{name}(1)")), "{name}");
        let page = fs::read_to_string(desk.path(&format!("pages/ebbflow-{name}.1"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{name}");
    }
    assert_eq!(entries(&desk.path("pages")).len(), subcommands().len() + 1);
}

#[test]
fn completions_name_every_subcommand_and_bash_can_read_its_own() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = desk.ebbflow(&["completions", shell]);
        assert_eq!(code(&run), 0, "{}", stderr(&run));
        for name in subcommands() {
            assert!(stdout(&run).contains(&name), "{shell}: {name}");
        }
        desk.write(shell, &stdout(&run));
    }
    let bash = Command::new("bash").arg("-n").arg(desk.path("bash")).stderr(Stdio::piped()).output();
    match bash {
        Ok(output) => assert!(output.status.success(), "{}", stderr(&output)),
        Err(error) => println!("skipped: bash cannot be run ({error})"),
    }
    assert_eq!(code(&desk.ebbflow(&["completions", "tcsh"])), 2);
}

#[test]
fn what_init_writes_passes_its_check_and_runs_as_it_stands() {
    let desk = Desk::new();
    let init = desk.ebbflow(&["init"]);
    assert_eq!(code(&init), 0, "{}", stderr(&init));
    for command in ["ebbflow check scenario.yaml", "ebbflow run scenario.yaml"] {
        assert!(stdout(&init).contains(command), "{}", stdout(&init));
    }
    assert_eq!(desk.entries(), ["scenario.schema.json", "scenario.yaml"]);
    let check = desk.ebbflow(&["check", "scenario.yaml"]);
    assert_eq!(code(&check), 0, "{}", stderr(&check));
    let run = desk.ebbflow(&["run", "scenario.yaml", "--no-files"]);
    assert_eq!((code(&run), stderr(&run).as_str()), (0, ""), "{}", stdout(&run));
    let text = fs::read_to_string(desk.path("scenario.yaml")).unwrap();
    assert!(text.starts_with("# yaml-language-server: $schema=scenario.schema.json\n"), "{text}");
    assert!(text.contains("ebbflow run scenario.yaml") && !text.contains("configs/"), "{text}");
    assert_eq!(Schema::of_scenarios().check(&text), Ok(()));
}

/// Whoever uncomments a line has the same right to a valid file.
#[test]
fn what_the_starter_has_commented_out_may_be_used() {
    let desk = Desk::new();
    desk.ebbflow(&["init", "--no-schema"]);
    let text = fs::read_to_string(desk.path("scenario.yaml")).unwrap();
    let (head, rest) = text.split_once("\nseed:").unwrap();
    assert!(!head.contains("yaml-language-server") && desk.entries() == ["scenario.yaml"]);
    let instead = ["cold_start:", "synthetic:", "actions:", "  - {at"];
    let uncommented = rest.lines().map(|line| {
        let (indent, code) =
            line.split_once("# ").filter(|(indent, _)| indent.trim().is_empty()).unwrap_or(("", ""));
        let key = code.split([':', ' ']).next().unwrap_or_default();
        let is_key =
            code.contains(':') && !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        if is_key && !instead.iter().any(|word| code.starts_with(word)) {
            format!("{indent}{code}")
        } else {
            line.to_owned()
        }
    });
    let text = format!("seed:{}", uncommented.collect::<Vec<_>>().join("\n"));
    assert!(text.contains("\n      warm_pool: 1") && text.contains("\nend_time: 10min"), "{text}");
    read(&text, &[]).unwrap_or_else(|errors| panic!("{errors}\nin\n{text}"));
    assert_eq!(Schema::of_scenarios().check(&text), Ok(()));
}

#[test]
fn init_does_not_overwrite_unless_it_must() {
    let desk = Desk::new();
    desk.write("mine.yaml", "seed: 7\n");
    let refused = desk.ebbflow(&["init", "mine"]);
    assert_eq!(code(&refused), 2);
    assert!(
        stderr(&refused).contains("mine.yaml") && stderr(&refused).contains("--force"),
        "{}",
        stderr(&refused)
    );
    assert_eq!(desk.entries(), ["mine.yaml"], "not even the schema is written");
    assert_eq!(fs::read_to_string(desk.path("mine.yaml")).unwrap(), "seed: 7\n");
    assert_eq!(code(&desk.ebbflow(&["init", "mine", "--force"])), 0);
    assert_eq!(code(&desk.ebbflow(&["init", "second"])), 0, "the same schema may be there already");
    assert_eq!(code(&desk.ebbflow(&["init", "nowhere/third"])), 1);
}

#[test]
fn every_shipped_scenario_can_be_started_from() {
    let desk = Desk::new();
    let listed = stdout(&desk.ebbflow(&["init", "--list"]));
    assert_eq!(listed.lines().count(), shipped().len());
    for path in shipped() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(listed.contains(&name), "{name} is not in\n{listed}");
        let init = desk.ebbflow(&["init", "copy", "--from", &name, "--force"]);
        assert_eq!(code(&init), 0, "{}", stderr(&init));
        let text = fs::read_to_string(desk.path("copy.yaml")).unwrap();
        assert_eq!(text.matches("$schema=scenario.schema.json").count(), 1, "{text}");
        read(&text, &[]).unwrap_or_else(|errors| panic!("{errors}"));
    }
    let refused = desk.ebbflow(&["init", "other", "--from", "burst-hpb"]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("did you mean `burst-hpa`?"), "{}", stderr(&refused));
}
