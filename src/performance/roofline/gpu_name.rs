//! Which GPU a name means.

use super::{Gpu, RooflineError, builtin_gpus};
use crate::diagnosis::nearest;

/// What a name may add to the GPU's own, e.g. `h100_sxm` or `a100-80gb`; longer ones first.
const SUFFIXES: [&str; 12] = [
    "blackwellserveredition",
    "180gb",
    "141gb",
    "192gb",
    "80gb",
    "48gb",
    "96gb",
    "24gb",
    "hbm3",
    "sxm4",
    "sxm",
    "server",
];

/// The built-in GPU of this name; case, dashes, board form and memory size do not matter.
pub fn find_gpu(name: &str) -> Result<Gpu, RooflineError> {
    let wanted = gpu_letters(name);
    if let Some(gpu) = builtin_gpus().into_iter().find(|gpu| gpu_letters(&gpu.name) == wanted) {
        return Ok(gpu);
    }
    let known: Vec<String> = builtin_gpus().into_iter().map(|gpu| gpu.name).collect();
    let nearest = nearest(&wanted, known.iter().map(String::as_str)).map(str::to_owned);
    Err(RooflineError::UnknownGpu { name: name.to_owned(), nearest, known })
}

/// What names of the same GPU have in common.
pub(crate) fn gpu_letters(name: &str) -> String {
    let mut letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    letters.make_ascii_lowercase();
    let mut name = letters.strip_prefix("nvidia").or(letters.strip_prefix("amd")).unwrap_or(&letters);
    name = name.strip_prefix("geforce").or(name.strip_prefix("instinct")).unwrap_or(name);
    while let Some(shorter) = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix)) {
        name = shorter;
    }
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_is_found_under_the_names_people_give_it() {
        for (name, means) in [
            ("h100_sxm", "H100"),
            ("A100-80GB", "A100"),
            ("NVIDIA H200 141GB", "H200"),
            ("b200-sxm", "B200"),
            ("b200-180gb", "B200"),
            ("rtx_pro_6000_server", "RTX-PRO-6000"),
            ("RTXPRO6000", "RTX-PRO-6000"),
            ("NVIDIA RTX PRO 6000 Blackwell Server Edition", "RTX-PRO-6000"),
            ("NVIDIA A100-SXM4-80GB", "A100"),
            ("NVIDIA H100 80GB HBM3", "H100"),
            ("NVIDIA GeForce RTX 4090", "RTX-4090"),
            ("l40s", "L40S"),
            ("AMD Instinct MI300X", "MI300X"),
        ] {
            assert_eq!(find_gpu(name).unwrap().name, means, "{name}");
        }
    }

    #[test]
    fn an_unknown_gpu_is_answered_with_the_nearest_and_all() {
        let error = find_gpu("h10").unwrap_err().to_string();
        assert!(error.contains("did you mean `H100`?") && error.contains("MI300X"), "{error}");
    }
}
