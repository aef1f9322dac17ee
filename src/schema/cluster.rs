//! `cluster`: servers and what new ones are made from.

use super::forms::{Form, Object, any, bare_words, count, list, number, positive, suggested, text, words};
use super::keys::KeyTable;
use super::network;
use crate::cluster::{known_gpus, known_skus};
use crate::scenario::Sku;

/// The section.
pub fn form(table: &KeyTable) -> Form {
    Object::documented(table, "cluster")
        .key("servers", list(server(), 1))
        .key("gpus", list(any([own_gpu(), gpu_in_file()]), 0))
        .key("skus", list(own_sku(), 0))
        .key("network", network::form())
        .key("interconnects", list(interconnect(), 0))
        .key("power_budget", number(0.0, f64::INFINITY).unit("W"))
        .form()
        .about("the servers at time 0, and what new ones are made from")
}

fn server() -> Form {
    Object::default()
        .must("sku", sku().about("kind of server: a known one, or one of `cluster.skus`"))
        .must("count", servers().about("how many exist at time 0; 0: only known, for scale-ups"))
        .key(
            "limit",
            servers().about("how many can be had at once, those at time 0 included; unless given, any"),
        )
        .form()
}

/// A number of servers.
pub fn servers() -> Form {
    count(0).with("maximum", 1_000_000)
}

/// The name of a kind of server.
pub fn sku() -> Form {
    suggested(known())
}

/// The kinds of servers that are known without being described.
pub fn known() -> Form {
    let known = known_skus();
    words(known.iter().map(|sku| (sku.name.as_str(), about(sku))))
}

fn about(sku: &Sku) -> String {
    let memory_gib = sku.gpu.memory_bytes >> 30;
    format!("{} × {} ({memory_gib} GiB)", sku.gpus, sku.gpu.name)
}

fn own_gpu() -> Form {
    let share = |about: &str| positive().with("maximum", 1).about(about);
    Object::default()
        .must("name", text().about("by which SKUs name it"))
        .must("memory_gb", positive().unit("GB").about("memory"))
        .must("bandwidth_gb_s", positive().unit("GB/s").about("read from it"))
        .must("bf16_tflops", positive().unit("TFLOPS").about("arithmetic in bf16, dense"))
        .key("fp8_tflops", positive().unit("TFLOPS").about("the same in fp8; left out: it has none"))
        .key("fp4_tflops", positive().unit("TFLOPS").about("the same in fp4; left out: it has none"))
        .must("link_gb_s", positive().unit("GB/s").about("to its neighbours, one direction"))
        .key("compute_share", share("of the arithmetic that matrix multiplications reach"))
        .key("memory_share", share("of the bandwidth that they reach"))
        .key("prefill_attention_share", share("of the arithmetic that attention of prompts reaches"))
        .key("decode_attention_share", share("of the bandwidth that attention of decodes reaches"))
        .key("link_share", share("of the link that an all-reduce reaches"))
        .form()
}

fn gpu_in_file() -> Form {
    Object::default()
        .key("name", text().about("by which SKUs name it; unless given, that in the file"))
        .must("file", text().about("a YAML file of the same keys"))
        .form()
}

fn own_sku() -> Form {
    let not_negative = || number(0.0, f64::INFINITY);
    Object::default()
        .must("name", text().about("by which servers and scale-ups name it"))
        .must(
            "gpu",
            suggested(bare_words(known_gpus()))
                .about("kind of GPU, as the performance table names it, or one of `cluster.gpus`"),
        )
        .must("gpus", count(1).with("maximum", 1024).about("GPUs of a server"))
        .key(
            "gpu_memory_gib",
            positive()
                .with("maximum", 1_000_000)
                .unit("GiB")
                .about("memory of one GPU; a known GPU has its own"),
        )
        .key(
            "idle_power_w",
            not_negative().unit("W").about("draw of a server that does nothing; unless given, 350 W a GPU"),
        )
        .key(
            "busy_power_w",
            not_negative().unit("W").about(
                "draw with all GPUs busy; unless given, energy is counted by phase if the GPU is a known one",
            ),
        )
        .key(
            "usd_per_gpu_h",
            not_negative().unit("US$ per hour").about("rent of one GPU; a known GPU has its own"),
        )
        .form()
}

fn interconnect() -> Form {
    Object::default()
        .key("link", text().about("e.g. `infiniband`"))
        .must("topology", text().about("e.g. `p2p`"))
        .form()
}
