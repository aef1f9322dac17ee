//! NVIDIA AIConfigurator's tables of kernels under vLLM, read from Parquet: what they cover of the measured points, and
//! the mean error of the time of a token on them beside that of the formulas.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ebbflow::models::{Precision, find};
use ebbflow::performance::KernelTables;
use ebbflow::performance::roofline::{Backend, Cover, Deployment, Operator, Parallelism, Roofline, find_gpu};

use super::constants::fitted;
use super::measured;
use super::rows::{Group, Row, Rows};
use super::silicon::errors;

/// Mean error of all points with the constants that were fitted to the formulas.
const BOUND: f64 = 0.12;
const FOLDERS: [(&str, &str); 5] = [
    ("H100", "h100_sxm"),
    ("H200", "h200_sxm"),
    ("B200", "b200_sxm"),
    ("L40S", "l40s"),
    ("A100", "a100_sxm"),
];

fn tables(folder: &str) -> Option<KernelTables> {
    let data =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/aiconfigurator/data").join(folder);
    let folders = ["gemm/vllm", "attention/vllm", "moe/vllm", "comm"].map(|kind| data.join(kind));
    if !folders.iter().all(|folder| folder.is_dir()) {
        println!("skipped: {} is not there", data.display());
        return None;
    }
    Some(KernelTables::read(&folders).unwrap())
}

/// The row with times of kernels for formulas.
fn with_kernels(row: Row, tables: &KernelTables) -> Row {
    let roofline = row.roofline.clone().with_kernels(tables);
    let predicted = roofline.closed_loop(row.load).unwrap();
    Row { roofline, predicted, ..row }
}

/// What the tables cover of a common deployment, whether or not points of it were measured.
fn print_sample(gpu: &str, tables: &KernelTables) {
    let sample = Roofline::new(Deployment {
        model: find("Llama-3.1-8B").unwrap(),
        gpu: find_gpu(gpu).unwrap(),
        backend: Backend::Vllm,
        parallelism: Parallelism::tensor(2),
        precision: Precision::Bf16,
        cache: None,
    });
    let sample = sample.unwrap().with_kernels(tables);
    let coverage = sample.coverage().unwrap();
    println!("  Llama-3.1-8B in bf16 on 2: {coverage}");
    assert!(!coverage.is_empty());
}

/// How many of the kernels of all points were measured, lie between, or keep the formula, by operator.
fn print_coverage(rows: &[Row]) {
    let mut counts: BTreeMap<Operator, [usize; 3]> = BTreeMap::new();
    let mut formula: BTreeMap<String, usize> = BTreeMap::new();
    for (operator, kernel, cover) in rows.iter().flat_map(|row| row.roofline.coverage().unwrap().kernels()) {
        let column = match cover {
            Cover::Measured | Cover::Line(_) => 0,
            Cover::Between => 1,
            Cover::Formula => 2,
        };
        counts.entry(operator).or_default()[column] += 1;
        if column == 2 {
            *formula.entry(kernel.to_owned()).or_default() += 1;
        }
    }
    for (operator, [measured, between, formula]) in counts {
        println!(
            "  {:18} {measured:5} measured, {between:5} between sizes, {formula:5} by formula",
            operator.name()
        );
    }
    for (kernel, count) in formula {
        println!("    by formula: {kernel} ({count})");
    }
}

#[test]
fn measured_kernels_cover_deployments_and_their_error_is_told() {
    if !cfg!(feature = "parquet") {
        return println!("skipped: this build cannot read the tables; test one with --features parquet");
    }
    let Some(path) = measured("aiconfigurator/silicon_sample.csv") else { return };
    let of_vllm = || Rows::read(&path).judged.into_iter().filter(|row| row.group.2 == Backend::Vllm);
    let (mut plain, mut refined): (Vec<Row>, Vec<Row>) = (of_vllm().collect(), of_vllm().collect());
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for (gpu, folder) in FOLDERS {
        let Some(tables) = tables(folder) else { return };
        println!("\n{gpu}: {} tables", tables.files().len());
        print_sample(gpu, &tables);
        let on = |row: &mut Row| row.group.1 == gpu;
        let measured: Vec<Row> = refined.extract_if(.., on).map(|row| with_kernels(row, &tables)).collect();
        print_coverage(&measured);
        before.extend(plain.extract_if(.., on));
        after.extend(measured);
    }
    print_errors(&before, &after);
}

fn print_errors(before: &[Row], after: &[Row]) {
    println!("\nmean error (bias) of the time of a token  points   formulas           kernels");
    let mut groups: BTreeMap<&Group, Vec<usize>> = BTreeMap::new();
    for (index, row) in before.iter().enumerate() {
        groups.entry(&row.group).or_default().push(index);
    }
    for (group, indices) in &groups {
        let of = |rows: &'_ [Row]| {
            let rows: Vec<&Row> = indices.iter().map(|&index| &rows[index]).collect();
            let values = Backend::Vllm.constants(rows[0].experts).values();
            let (error, bias) = errors(&rows, &values);
            format!("{:5.1} % ({:+5.1} %)", 100.0 * error, 100.0 * bias)
        };
        println!(
            "{:16} {:5} {:22} {:6}   {}   {}",
            group.0,
            group.1,
            group.3.name(),
            indices.len(),
            of(before),
            of(after)
        );
    }
    for experts in [false, true] {
        for (kernels, rows) in [("formulas", before), ("kernels", after)] {
            let rows: Vec<&Row> = rows.iter().filter(|row| row.experts == experts).collect();
            let values = fitted(&rows, Backend::Vllm, experts);
            let built_in = errors(&rows, &Backend::Vllm.constants(experts).values()).0;
            let error = errors(&rows, &values).0;
            assert!(built_in <= BOUND, "{kernels}: {built_in:.3} above {BOUND}");
            println!(
                "experts {experts:5}, {kernels:8}: {:5.1} % with the built-in constants, {:5.1} % fitted to these: {values:.6?}",
                100.0 * built_in,
                100.0 * error
            );
        }
    }
}
