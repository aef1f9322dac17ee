//! Reads `cluster.gpus`: GPUs of one's own, described here or in a data sheet beside the scenario. Either is read
//! alike, and a sheet's problems are shown where they stand in it.

use std::fs;

use super::context::Context;
use super::problem::ScenarioErrors;
use super::reader::{At, Keys, Log};
use super::spec::GpuSpec;
use super::tree;
use crate::cluster::known_gpus;
use crate::performance::roofline::GpuSheet;

/// A GPU of the scenario's own.
pub(super) struct OwnGpu {
    pub sheet: GpuSheet,
    pub spec: GpuSpec,
}

/// The GPUs described here.
pub(super) fn read(at: &At<'_>, context: &Context<'_>) -> Vec<OwnGpu> {
    let mut gpus: Vec<OwnGpu> = Vec::new();
    for at in at.list().unwrap_or_default() {
        let Some(sheet) = read_gpu(&at, context) else { continue };
        if known_gpus().any(|name| name == sheet.name) || gpus.iter().any(|gpu| gpu.spec.name == sheet.name) {
            let help = Some("choose another name".to_owned());
            at.refuse(format!("there is already a GPU `{}`", sheet.name), help);
            continue;
        }
        let spec = GpuSpec::of_sheet(sheet.gpu("the scenario"));
        gpus.push(OwnGpu { sheet, spec });
    }
    gpus
}

fn read_gpu(at: &At<'_>, context: &Context<'_>) -> Option<GpuSheet> {
    let keys = at.keys()?;
    let Some(file) = keys.get("file") else {
        let sheet = read_sheet(&keys);
        keys.finish();
        return sheet;
    };
    let name = keys.get("name").and_then(|at| at.text());
    keys.finish();
    let sheet = read_file(&file, context)?;
    Some(GpuSheet { name: name.map_or(sheet.name, str::to_owned), ..sheet })
}

fn read_sheet(keys: &Keys<'_>) -> Option<GpuSheet> {
    let rate = |key| keys.need(key).and_then(|at| at.positive());
    let other_rate = |key| keys.get(key).and_then(|at| at.positive());
    let share = |key| keys.get(key).and_then(|at| read_share(&at));
    let name = keys.need("name").and_then(|at| at.text()).map(str::to_owned);
    let (memory_gb, bandwidth_gb_s) = (rate("memory_gb"), rate("bandwidth_gb_s"));
    let (bf16_tflops, link_gb_s) = (rate("bf16_tflops"), rate("link_gb_s"));
    let (fp8_tflops, fp4_tflops) = (other_rate("fp8_tflops"), other_rate("fp4_tflops"));
    let (compute_share, memory_share) = (share("compute_share"), share("memory_share"));
    let prefill_attention_share = share("prefill_attention_share");
    let decode_attention_share = share("decode_attention_share");
    let link_share = share("link_share");
    Some(GpuSheet {
        name: name?,
        memory_gb: memory_gb?,
        bandwidth_gb_s: bandwidth_gb_s?,
        bf16_tflops: bf16_tflops?,
        fp8_tflops,
        fp4_tflops,
        link_gb_s: link_gb_s?,
        compute_share,
        memory_share,
        prefill_attention_share,
        decode_attention_share,
        link_share,
    })
}

/// Of a peak.
fn read_share(at: &At<'_>) -> Option<f64> {
    let share = at.positive()?;
    if share > 1.0 { at.expected("a share of the peak, at most 1") } else { Some(share) }
}

fn read_file(at: &At<'_>, context: &Context<'_>) -> Option<GpuSheet> {
    let path = context.file(at, at.text()?)?;
    let name = path.display().to_string();
    let text = fs::read_to_string(&path)
        .map_err(|error| at.refuse(format!("{name} cannot be read: {error}"), None))
        .ok()?;
    let mut problems = Vec::new();
    let root = tree::parse(&text, None, &mut problems);
    let log = Log::with_problems(problems);
    let sheet = root.as_ref().and_then(|root| {
        let keys = At::root(root, &log).keys()?;
        let sheet = read_sheet(&keys);
        keys.finish();
        sheet
    });
    let (problems, elsewhere, _) = log.into_parts();
    if problems.is_empty() {
        return sheet;
    }
    let help = format!("correct {name}; what is wrong in it follows");
    at.refuse("the data sheet cannot be used", Some(help));
    at.log.elsewhere(ScenarioErrors::new(&name, &text, problems, elsewhere).findings());
    None
}
