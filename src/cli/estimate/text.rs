//! The answer to one point, for people.

use std::fmt::Write;

use super::answer::Answer;

/// A few lines.
pub fn of(answer: &Answer<'_>) -> String {
    let deployment = answer.roofline.deployment();
    let mut text = format!(
        "{} in {} on {} × {} under {}, KV cache in {}\n",
        deployment.model.name,
        answer.roofline.weights(),
        answer.gpus(),
        deployment.gpu.name,
        deployment.backend,
        answer.roofline.cache()
    );
    let load = answer.load;
    line(
        &mut text,
        "load",
        &format!(
            "{} clients, prompts of {} tokens, answers of {}",
            load.concurrency, load.prompt_tokens, load.output_tokens
        ),
    );
    line(&mut text, "fits", &format!("{}: {}", if answer.fits() { "yes" } else { "no" }, answer.why()));
    if let Some(served) = &answer.served {
        line(&mut text, "TTFT", &format!("{:.1} ms", served.ttft_s * 1e3));
        line(&mut text, "TPOT", &format!("{:.2} ms", served.tpot_s * 1e3));
        let rates = (served.output_tokens_per_s, answer.tokens_a_gpu(served));
        line(&mut text, "throughput", &format!("{:.0} output tokens/s, {:.0} a GPU", rates.0, rates.1));
        line(&mut text, "of a token", "");
        for (name, share) in served.breakdown.shares() {
            let _ = writeln!(text, "  {name:18} {:5.1} %", 100.0 * share);
        }
    }
    line(&mut text, "trust", answer.evidence());
    if let Some(coverage) = answer.roofline.coverage() {
        line(&mut text, "kernels", &coverage.to_string());
    }
    for warning in &deployment.model.warnings {
        line(&mut text, "warning", warning);
    }
    text
}

fn line(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{}", format!("{name:11} {value}").trim_end());
}
