//! `ebbflow list`: what a scenario may name, from the same tables that the reader of scenarios uses.

use std::fmt::Write;
use std::process::ExitCode;

use clap::ValueEnum;

use crate::cluster::known_skus;
use crate::models::{Precision, builtin_models};
use crate::performance::power::gpu_power;
use crate::performance::roofline::{Evidence, Gpu, builtin_gpus};
use crate::registry::{Accepts, Kind, Parameter, Registry};
use crate::scaling::{COLD_START_PRESETS, Governs};
use crate::scenario::known_models;
use crate::workload::{preset, preset_names};

use super::exit::CliError;
use super::print;

/// Where the time of an iteration may come from.
const PERFORMANCE_MODELS: [(&str, &str); 4] = [
    (
        "roofline",
        "any model on any GPU of a known data sheet, operator by operator; knows how much KV cache fits",
    ),
    (
        "lookup",
        "also `db`: a table in CSV or Parquet, of measurements or of a benchmark's end-to-end points; \
         with `kernels`, roofline by kernels measured one by one; built in: splitwise-2023, Llama2-70B and BLOOM-176B \
         on A100 and H100",
    ),
    ("pwl", "straight lines through knots of your own, the same for every model and GPU"),
    ("constant", "two numbers: an iteration with a prompt in it, and one without"),
];

/// Arguments of `ebbflow list`.
#[derive(clap::Args, Debug)]
pub struct ListArgs {
    /// What to list
    #[arg(value_enum)]
    what: What,
    /// Only this one
    name: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum What {
    /// Autoscaling policies
    Policies,
    /// Schedulers
    Schedulers,
    /// Kinds of servers
    Skus,
    /// Models
    Models,
    /// GPUs of a known data sheet
    Gpus,
    /// Where the time of an iteration comes from
    Performance,
    /// Ready-made workloads and cold starts
    Presets,
}

/// Prints the list.
pub fn list(arguments: &ListArgs) -> Result<ExitCode, CliError> {
    let registry = Registry::builtin();
    let entries = match arguments.what {
        What::Policies => policies(&registry),
        What::Schedulers => {
            registry.schedulers().map(|kind| (kind.name.to_owned(), kind_text(kind, ""))).collect()
        }
        What::Skus => skus(),
        What::Models => models(),
        What::Gpus => gpus(),
        What::Performance => performance(),
        What::Presets => presets(),
    };
    let named = |name: &String| arguments.name.as_ref().is_none_or(|wanted| wanted == name);
    let chosen: Vec<&(String, String)> = entries.iter().filter(|(name, _)| named(name)).collect();
    if let (true, Some(wanted)) = (chosen.is_empty(), &arguments.name) {
        let names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
        return Err(CliError::bad_input(format!("there is no `{wanted}`; known are {}", names.join(", "))));
    }
    let text: String = chosen.iter().map(|(name, text)| format!("{name}\n{text}\n")).collect();
    print::stdout(&text).map_err(CliError::failed)?;
    Ok(ExitCode::SUCCESS)
}

fn policies(registry: &Registry) -> Vec<(String, String)> {
    let text = |known: &crate::scaling::PolicyKind| {
        let governs = match known.governs {
            Governs::Pool => "each pool by itself",
            Governs::Fleet => "all pools together",
        };
        let cadence = format!(
            "  governs {governs}; decides every {} s, scrapes every {} s unless the scenario says otherwise\n",
            known.decision_interval_s, known.scrape_interval_s
        );
        (known.kind.name.to_owned(), kind_text(&known.kind, &cadence))
    };
    registry.policies().map(text).collect()
}

fn kind_text(kind: &Kind, more: &str) -> String {
    let mut text = format!("  {}\n{more}", kind.about);
    if !kind.aliases.is_empty() {
        let _ = writeln!(text, "  also: {}", kind.aliases.join(", "));
    }
    write_parameters(&mut text, kind.parameters, 1);
    text
}

fn write_parameters(text: &mut String, parameters: &[Parameter], depth: usize) {
    for parameter in parameters {
        let indent = "  ".repeat(depth);
        let value = match parameter.accepts {
            Accepts::Number { default: Some(default), .. } => format!(" = {default}"),
            Accepts::Number { default: None, .. } => " (none)".to_owned(),
            Accepts::Flag(flag) => format!(" = {flag}"),
            Accepts::Word { default, of } => format!(" = {default} (of {})", of.join(", ")),
            Accepts::Text(default) => format!(" = {default:?}"),
            Accepts::Group { optional: true, .. } => " (none)".to_owned(),
            Accepts::Group { .. } => String::new(),
            Accepts::Rows(_) => " = [] (a list)".to_owned(),
        };
        let unit = if parameter.unit.is_empty() { String::new() } else { format!(" {}", parameter.unit) };
        let source =
            if parameter.source.is_empty() { String::new() } else { format!(" [{}]", parameter.source) };
        let _ = writeln!(text, "{indent}{}{value}{unit}: {}{source}", parameter.name, parameter.about);
        if let Accepts::Group { of, .. } | Accepts::Rows(of) = parameter.accepts {
            write_parameters(text, of, depth + 1);
        }
    }
}

fn skus() -> Vec<(String, String)> {
    let text = |sku: &crate::scenario::Sku| {
        let memory_gib = sku.gpu.memory_bytes >> 30;
        let price =
            sku.usd_per_gpu_h.map_or("price not known".to_owned(), |usd| format!("${usd} per GPU-hour"));
        let by_phase = gpu_power(&sku.gpu.name).map(|gpu| format!("{} W a GPU at most", gpu.most_w));
        let busy = sku.busy_power_w.map(|watts| format!("{watts} W")).or(by_phase);
        let busy = busy.unwrap_or_else(|| "not known".to_owned());
        format!(
            "  {} × {} ({memory_gib} GiB) · {price} · draws {} W idle, {busy} busy\n",
            sku.gpus, sku.gpu.name, sku.idle_power_w
        )
    };
    known_skus().iter().map(|sku| (sku.name.clone(), text(sku))).collect()
}

fn models() -> Vec<(String, String)> {
    let ancestors = known_models().into_iter().map(|(architecture, size, model)| {
        let weights_gb = model.weights_bytes as f64 / 1e9;
        let kv_kib = model.kv_bytes(1, 1) as f64 / 1024.0;
        let text = format!(
            "  model_architecture: {architecture} · {} layers of {} · weights {weights_gb} GB · KV cache {kv_kib} KiB a \
             token\n",
            model.layers, model.hidden_size
        );
        (size.to_owned(), text)
    });
    let built_in = builtin_models().into_iter().map(|model| {
        let weights_gb = model.weight_bytes(model.released) / 1e9;
        let kv_kib = model.kv_bytes_per_token(Precision::Bf16) / 1024.0;
        let text = format!(
            "  model · {:.1} billion parameters · {} layers of {} · weights {weights_gb:.1} GB in {} · KV cache {kv_kib} \
             KiB a token in bf16 · {}\n",
            model.parameters() / 1e9,
            model.layers,
            model.hidden_size,
            model.released,
            model.source
        );
        (model.name, text)
    });
    built_in.chain(ancestors).collect()
}

fn gpus() -> Vec<(String, String)> {
    let text = |gpu: Gpu| {
        let tera =
            |flops: Option<f64>| flops.map_or("none".to_owned(), |flops| format!("{:.0}", flops / 1e12));
        let trust = match gpu.evidence {
            Evidence::EndToEnd => "engines on it were held against the model",
            Evidence::Kernels => "kernels measured",
            Evidence::Assumed => "data sheet only, the rest assumed",
        };
        let text = format!(
            "  {:.1} GB at {:.0} GB/s · {:.0} TFLOPS in bf16, {} in fp8, {} in fp4 · link {:.0} GB/s · {trust} · {}\n",
            gpu.memory_bytes / 1e9,
            gpu.bandwidth_bytes_s / 1e9,
            gpu.bf16_flops / 1e12,
            tera(gpu.fp8_flops),
            tera(gpu.fp4_flops),
            gpu.link_bytes_s / 1e9,
            gpu.sheet
        );
        (gpu.name, text)
    };
    builtin_gpus().into_iter().map(text).collect()
}

fn performance() -> Vec<(String, String)> {
    let known = PERFORMANCE_MODELS.map(|(name, about)| (name.to_owned(), format!("  {about}\n")));
    known.into()
}

fn presets() -> Vec<(String, String)> {
    let workloads = preset_names().filter_map(preset).map(|preset| {
        let text = format!("  workload · {} requests/s on average · {}\n", preset.mean_rate, preset.source);
        (preset.name.to_owned(), text)
    });
    let starts = COLD_START_PRESETS
        .iter()
        .map(|preset| (preset.name.to_owned(), format!("  cold start · {}\n", preset.about)));
    workloads.chain(starts).collect()
}
