//! What the documents say is what is there.

use std::path::Path;
use std::process::Command;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_readme_carries_the_key_table_of_the_loader() {
    let keys = read("src/scenario/keys.md");
    let table = &keys[keys.find("| key |").unwrap()..];
    assert!(
        read("README.md").contains(table.trim()),
        "copy the table of src/scenario/keys.md into README.md"
    );
}

#[test]
fn the_readme_names_every_scheduler_and_every_result_file() {
    let readme = read("README.md");
    for kind in ebbflow::registry::Registry::builtin().schedulers() {
        let short = kind.name.trim_start_matches("overlap_").trim_end_matches("_ethernet");
        assert!(readme.contains(&format!("`{short}`")), "{} is not in README.md", kind.name);
    }
}

#[test]
fn the_architecture_fits_two_hundred_lines_and_names_tests_that_exist() {
    let text = read("ARCHITECTURE.md");
    assert!(text.lines().count() <= 200);
    let named = text.split('`').filter(|word| word.ends_with(".rs") && !word.contains('*'));
    for name in named {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let places = [root.join(name), root.join("tests/suite").join(name), root.join("src").join(name)];
        assert!(places.iter().any(|place| place.exists()), "ARCHITECTURE.md names {name}, which is nowhere");
    }
}

/// Licences under which dependencies may be; all are permissive.
const ACCEPTED: [&str; 11] = [
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Unlicense",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "0BSD",
    "CC0-1.0",
];

fn version(text: &str) -> Vec<u32> {
    text.split('.').filter_map(|part| part.parse().ok()).collect()
}

/// `A OR B AND C`, well enough for what crates write: some alternative consists of accepted licences.
fn is_accepted(expression: &str) -> bool {
    let plain = expression.replace(['(', ')'], " ").replace(" WITH LLVM-exception", "").replace('/', " OR ");
    plain
        .split(" OR ")
        .any(|alternative| alternative.split(" AND ").all(|name| ACCEPTED.contains(&name.trim())))
}

#[test]
fn every_dependency_has_an_accepted_licence_and_builds_with_the_stated_rust_version() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--all-features"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let stated = version(env!("CARGO_PKG_RUST_VERSION"));
    let mut problems = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = format!("{} {}", package["name"].as_str().unwrap(), package["version"].as_str().unwrap());
        match package["license"].as_str() {
            Some(licence) if is_accepted(licence) => {}
            other => problems.push(format!("{name}: licence {other:?}")),
        }
        if let Some(needed) = package["rust_version"].as_str()
            && version(needed) > stated
        {
            problems.push(format!("{name}: needs Rust {needed}"));
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}
