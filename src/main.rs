//! The `ebbflow` command.

fn main() -> std::process::ExitCode {
    ebbflow::cli::main()
}
