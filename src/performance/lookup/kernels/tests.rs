//! Tables made up for the purpose.

use std::fs;

use super::*;

const GEMM: &str = "framework,version,device,gemm_dtype,m,n,k,latency\n\
    VLLM,1,NVIDIA H100 80GB HBM3,bfloat16,1,64,32,0.5\n\
    VLLM,1,NVIDIA H100 80GB HBM3,bfloat16,1,64,32,0.9\n\
    VLLM,1,NVIDIA H100 80GB HBM3,bfloat16,1,64,32,0.7\n\
    TRTLLM,1,NVIDIA H100 80GB HBM3,bfloat16,1,64,32,3\n";
const ATTENTION: &str = "op_name,batch_size,isl,step,num_heads,num_key_value_heads,head_dim,kv_cache_dtype,window_size,latency\n\
    generation_attention,2,1,99,8,1,128,fp8,0,1\n\
    generation_attention,2,1,99,8,1,128,fp8,128,2\n\
    context_attention,2,100,0,8,1,128,fp8,0,3\n\
    context_attention,2,100,50,8,1,128,fp8,0,9\n";
const EXPERTS: &str = "moe_dtype,num_tokens,hidden_size,inter_size,topk,num_experts,moe_tp_size,moe_ep_size,distribution,latency\n\
    fp8,16,64,32,2,8,1,4,balanced,1\n";
const NCCL: &str = "framework,op_name,nccl_dtype,num_gpus,message_size,latency\n\
    TRTLLM,all_reduce,half,2,512,4\nTRTLLM,all_gather,half,2,512,1\nTRTLLM,all_reduce,int8,2,512,1\n";

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    home
}

fn read(files: &[(&str, &str)]) -> Result<KernelTables, LookupError> {
    let home = folder(files);
    KernelTables::read(&[home.path().to_owned()])
}

fn gemm() -> Kernel {
    Kernel::Gemm { format: Format::of("bf16"), rows: 64, columns: 32 }
}

fn heads(window: u64) -> Heads {
    Heads { queries: 8, keys: 1, width: 128, window, cache: Format::of("fp8") }
}

fn only(points: &Points) -> ([u64; 2], f64) {
    assert_eq!(points.len(), 1);
    points.first_key_value().map(|(sizes, seconds)| (*sizes, *seconds)).unwrap()
}

#[test]
fn a_row_counts_for_its_gpu_and_engine_and_the_median_of_equal_ones() {
    let tables = read(&[("gemm/vllm/gemm_perf.csv", GEMM)]).unwrap();
    let of = |gpu, engine| tables.points(gpu, engine, &gemm()).map(only);
    assert_eq!(of("H100", Backend::Vllm), Some(([1, 0], 0.0007)));
    assert_eq!(of("H100", Backend::TrtLlm), Some(([1, 0], 0.003)));
    assert_eq!((of("H200", Backend::Vllm), of("H100", Backend::Sglang)), (None, None));
}

#[test]
fn what_names_no_gpu_counts_for_all_and_times_of_nccl_for_every_engine() {
    let tables =
        read(&[("a.csv", ATTENTION), ("deep/er/b.csv", EXPERTS), ("c.csv", NCCL), ("notes.txt", "x")])
            .unwrap();
    let of = |kernel| tables.points("B200", Backend::Sglang, &kernel).map(only);
    assert_eq!(of(Kernel::DecodeAttention(heads(0))), Some(([2, 100], 0.001)));
    assert_eq!(of(Kernel::DecodeAttention(heads(128))), Some(([2, 100], 0.002)));
    assert_eq!(of(Kernel::PrefillAttention(heads(0))), Some(([2, 100], 0.003)));
    assert_eq!(of(Kernel::AllReduce { gpus: 2, way: Way::Nccl }), Some(([512, 0], 0.004)));
    assert_eq!(tables.files().len(), 3);
}

#[test]
fn a_bad_row_is_named_with_its_column() {
    for (row, problem) in [
        ("fp8,1,1,1,-1", "k.csv:2:11: latency is `-1`; expected a finite time above 0"),
        ("fp8,1,1,1,1e300", "k.csv:2:11: latency is `1e300`; expected a time above 0 ms, at most 1000000 ms"),
        ("fp8,0,1,1,1", "k.csv:2:5: m is `0`; expected a whole number, at least 1"),
        (
            "fp8,1,5000000000,1,1",
            "k.csv:2:7: n is `5000000000`; expected a whole number from 1 to 2147483648",
        ),
        ("fp8,1,1,1", "k.csv:2:10: latency is missing"),
    ] {
        let error =
            read(&[("k.csv", &format!("gemm_dtype,m,n,k,latency\n{row}\n"))]).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn a_table_that_lacks_a_column_is_refused_and_one_of_something_else_passed_over() {
    let error = read(&[("k.csv", "gemm_dtype,m,n,latency\nfp8,1,1,1\n")]).unwrap_err();
    assert!(matches!(error, LookupError::Header(_)));
    let error = error.to_string();
    assert!(error.contains("k.csv:1:1: ") && error.contains("gemm_dtype,m,n,k,latency"), "{error}");
    let tables = read(&[("a.csv", ATTENTION), ("other.csv", "mamba,latency\n1,2\n")]).unwrap();
    assert_eq!((tables.files().len(), tables.passed_over().len()), (1, 1));
    let home = folder(&[("other.csv", "mamba,latency\n1,2\n")]);
    let named = KernelTables::read(&[home.path().join("other.csv")]).unwrap_err();
    assert!(matches!(named, LookupError::Header(_)), "{named}");
}

#[test]
fn a_folder_without_tables_is_an_error_that_says_what_was_expected() {
    for files in [&[("notes.txt", "x")][..], &[("other.csv", "mamba,latency\n1,2\n")]] {
        let error = read(files).unwrap_err();
        assert!(matches!(error, LookupError::NoKernels { .. }));
        assert!(error.to_string().contains("holds no table of kernels"), "{error}");
    }
    let error = KernelTables::read(&[PathBuf::from("/nowhere/at/all.csv")]).unwrap_err();
    assert!(matches!(error, LookupError::Unreadable { .. }));
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_tables_are_the_same_as_in_csv() {
    let home = folder(&[]);
    for (name, text) in [("gemm.parquet", GEMM), ("attention.parquet", ATTENTION)] {
        crate::performance::lookup::text::tests::write(&home.path().join(name), text);
    }
    let from_parquet = KernelTables::read(&[home.path().to_owned()]).unwrap();
    let from_csv = read(&[("gemm.csv", GEMM), ("attention.csv", ATTENTION)]).unwrap();
    assert_eq!(from_parquet.measured, from_csv.measured);
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_parquet_table_without_the_feature_is_refused_by_name() {
    let error = read(&[("gemm_perf.parquet", "PAR1")]).unwrap_err();
    assert!(matches!(error, LookupError::ParquetNotBuilt { .. }), "{error}");
}
