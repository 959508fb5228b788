//! WASI commands: JSON in on stdin, JSON out on stdout, and an exit code.

use std::time::Duration;

use hotcell_definition::ErrorKind;
use hotcell_sandbox::{
    CallError, CallLimits, Cells, ComponentError, InProcess, InProcessOptions, LogLevel, LogStream, PayloadKind,
};
use serde_json::{Value, json};

use crate::guest::quoted;
use crate::host::{Recorder, assert_still_usable, call, cells, prepare, run, run_with};

/// A preview 1 command whose `_start` has this body. It can call `$read` and `$write` with the number of a file and an address that holds
/// an address and a length, and `$exit`, `$sleep`. What it read ends up at 8192, and how much that was at 16; data of tests
/// stands from 1024 on.
fn command(start: &str, definitions: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
          (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 4)
          (func $write (param $file i32) (param $at i32) (param $length i32)
            (i32.store (i32.const 0) (local.get $at))
            (i32.store (i32.const 4) (local.get $length))
            (drop (call $fd_write (local.get $file) (i32.const 0) (i32.const 1) (i32.const 8))))
          ;; Reads everything that there is.
          (func $read
            (loop $more
              (i32.store (i32.const 0) (i32.add (i32.const 8192) (i32.load (i32.const 16))))
              (i32.store (i32.const 4) (i32.const 100))
              (i32.store (i32.const 8) (i32.const 0))
              (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
              (i32.store (i32.const 16) (i32.add (i32.load (i32.const 16)) (i32.load (i32.const 8))))
              (br_if $more (i32.load (i32.const 8)))))
          (func (export "_start") {start})
          {definitions})"#
    );
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

/// A command that writes this to a file, 1 for stdout or 2 for stderr, and then does something else.
fn writing(file: u8, text: &str, then: &str) -> Vec<u8> {
    let data = format!("(data (i32.const 1024) {})", quoted(text));
    command(&format!("(call $write (i32.const {file}) (i32.const 1024) (i32.const {})) {then}", text.len()), &data)
}

const CAT: &str = "(call $read) (call $write (i32.const 1) (i32.const 8192) (i32.load (i32.const 16)))";

#[tokio::test]
async fn a_command_reads_its_input_from_stdin_and_writes_its_output_to_stdout() {
    let input = json!({"text": "x".repeat(5_000), "n": [1, 2.5, null, "ü"]});
    let (end, host) = run(&command(CAT, ""), &input.to_string()).await;
    assert_eq!(end.result, Ok(input));
    assert!(host.logs.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_command_that_writes_nothing_has_no_output() {
    for text in ["", " \n\t\r\n"] {
        let (end, _) = run(&writing(1, text, ""), "{}").await;
        assert_eq!(end.result, Ok(Value::Null), "{text:?}");
    }
}

#[tokio::test]
async fn leaving_with_exit_code_0_is_success() {
    let (end, _) = run(&writing(1, "[1]\n", "(call $exit (i32.const 0)) unreachable"), "{}").await;
    assert_eq!(end.result, Ok(json!([1])));
}

#[tokio::test]
async fn another_exit_code_is_a_problem_that_says_what_stood_on_stderr() {
    for code in [1_u8, 3, 77, 126, 255] {
        let guest =
            writing(2, "warming up\n\u{1b}[31mno such order: 17\n", &format!("(call $exit (i32.const {code}))"));
        let (end, host) = run(&guest, "{}").await;
        let problem = end.result.unwrap_err().to_problem();
        assert!(problem.is(ErrorKind::Runtime));
        assert_eq!(problem.title, Some(format!("Exit code {code}")));
        assert_eq!(problem.detail.as_deref(), Some("warming up\n\u{241b}[31mno such order: 17"));
        let lines = host.logs.lock().unwrap().clone();
        assert_eq!(lines[0], (LogLevel::Warn, LogStream::Stderr, "warming up".into()));
        assert_eq!(lines.len(), 2);
    }
}

#[tokio::test]
async fn what_a_failed_command_wrote_to_stdout_is_no_output() {
    let (end, _) = run(&writing(1, "{\"half\": ", "(call $exit (i32.const 2))"), "{}").await;
    assert_eq!(end.result, Err(CallError::ExitCode { status: 2, stderr: String::new() }));
}

#[tokio::test]
async fn output_that_is_not_json_is_shown_in_the_problem() {
    let (end, _) = run(&writing(1, "Hello, \u{7}world!\nBye.", ""), "{}").await;
    let problem = end.result.unwrap_err().to_problem();
    assert_eq!(problem.title.as_deref(), Some("Invalid output"));
    let detail = problem.detail.unwrap();
    assert!(detail.contains("begins with \"Hello, ␇world!␊Bye.\"") && detail.contains("stderr"), "{detail}");

    let bytes =
        command("(call $write (i32.const 1) (i32.const 1024) (i32.const 3))", r#"(data (i32.const 1024) "\22\ff\22")"#);
    let (end, _) = run(&bytes, "{}").await;
    assert!(
        end.result.unwrap_err().to_problem().detail.unwrap().contains("at byte 1 its standard output is not UTF-8")
    );
}

#[tokio::test]
async fn a_flood_on_stdout_ends_the_call_at_the_payload_limit() {
    let flood = command("(loop $more (call $write (i32.const 1) (i32.const 1024) (i32.const 65536)) (br $more))", "");
    let limits = CallLimits { payload: 1 << 20, ..CallLimits::default() };
    let (end, _) = run_with(&flood, "{}", limits).await;
    assert!(
        matches!(end.result, Err(CallError::PayloadLimit { what: PayloadKind::Output, limit: 1_048_576, .. })),
        "{end:?}"
    );
    assert!(end.usage.wall < Duration::from_secs(5));
}

#[tokio::test]
async fn a_flood_on_stderr_is_cut_and_the_command_goes_on() {
    let start = "(local $i i32) (local.set $i (i32.const 100))
        (loop $more
          (call $write (i32.const 2) (i32.const 65536) (i32.const 65536))
          (br_if $more (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
        (call $write (i32.const 1) (i32.const 1024) (i32.const 2))";
    let (end, host) = run(&command(start, r#"(data (i32.const 1024) "17")"#), "{}").await;
    assert_eq!(end.result, Ok(json!(17)));
    let logged: usize = host.lines(LogStream::Stderr).iter().map(String::len).sum();
    assert!(logged <= 3 * CallLimits::default().log_bytes, "{logged}");
    assert!(host.lines(LogStream::Host)[0].contains("were dropped"));
}

#[tokio::test]
async fn a_command_has_a_name_and_no_arguments_no_environment_no_folders_and_no_network() {
    let start = r#"
        (drop (call $args (i32.const 32) (i32.const 36)))
        (drop (call $environ (i32.const 40) (i32.const 44)))
        ;; One argument, no variable; folder 3 is not there, and cannot be opened.
        (if (i32.ne (i32.load (i32.const 32)) (i32.const 1)) (then unreachable))
        (if (i32.load (i32.const 40)) (then unreachable))
        (if (i32.eqz (call $prestat (i32.const 3) (i32.const 64))) (then unreachable))
        (if (i32.eqz (call $open (i32.const 3) (i32.const 0) (i32.const 1024) (i32.const 1) (i32.const 0)
            (i64.const -1) (i64.const -1) (i32.const 0) (i32.const 64))) (then unreachable))"#;
    let (end, _) = run(&command(start, r#"(data (i32.const 1024) "/")"#), "{}").await;
    assert_eq!(end.result, Ok(Value::Null));
}

#[tokio::test]
async fn a_command_keeps_to_the_limits_of_every_task() {
    let quick = CallLimits { cpu_time: Duration::from_millis(100), ..CallLimits::default() };
    let short = CallLimits { wall_time: Duration::from_millis(200), ..CallLimits::default() };
    let spinning = command("(loop $more (br $more))", "");
    assert!(matches!(run_with(&spinning, "{}", quick).await.0.result, Err(CallError::CpuLimit { .. })));
    // A subscription to the clock, 48 bytes, whose time never comes.
    let sleeping = command(
        "(i32.store8 (i32.const 2056) (i32.const 0)) (i32.store (i32.const 2064) (i32.const 1))
         (i64.store (i32.const 2072) (i64.const 100000000000))
         (drop (call $poll (i32.const 2048) (i32.const 4096) (i32.const 1) (i32.const 32)))",
        "",
    );
    assert!(matches!(run_with(&sleeping, "{}", short).await.0.result, Err(CallError::TimeLimit { .. })));
    let greedy = command("(if (i32.eq (memory.grow (i32.const 10000)) (i32.const -1)) (then unreachable))", "");
    assert!(matches!(run(&greedy, "{}").await.0.result, Err(CallError::MemoryLimit { .. })));
    let looping_at_start = command("", "(start $s) (func $s (loop $more (br $more)))");
    assert!(matches!(run_with(&looping_at_start, "{}", quick).await.0.result, Err(CallError::CpuLimit { .. })));
    let fills_memory =
        command("(drop (call $fd_read (i32.const 0) (i32.const -16) (i32.const 0x7fffffff) (i32.const 8)))", "");
    assert!(run(&fills_memory, "{}").await.0.usage.wall < Duration::from_secs(5));
}

#[tokio::test]
async fn a_component_that_exports_wasi_cli_run_is_a_command() {
    // `run` returns whether it failed, as 0 or 1.
    let component = |failed: u8| {
        wat::parse_str(format!(
            r#"(component
                 (core module $m (func (export "run") (result i32) (i32.const {failed})))
                 (core instance $m (instantiate $m))
                 (func $run (result (result)) (canon lift (core func $m "run")))
                 (instance $run (export "run" (func $run)))
                 (export "wasi:cli/run@0.2.3" (instance $run)))"#
        ))
        .unwrap()
    };
    assert_eq!(run(&component(0), "{}").await.0.result, Ok(Value::Null));
    assert_eq!(run(&component(1), "{}").await.0.result, Err(CallError::ExitCode { status: 1, stderr: String::new() }));
}

#[tokio::test]
async fn a_module_that_is_no_command_is_refused_with_what_to_do() {
    let refusal = async |text: &str| prepare(&cells(), &wat::parse_str(text).unwrap()).await.unwrap_err();
    let foreign = refusal(r#"(module (import "env" "emscripten_sleep" (func)) (func (export "_start")))"#).await;
    assert!(
        matches!(&foreign, ComponentError::MissingImports { imports, .. } if imports == &["env emscripten_sleep"]),
        "{foreign}"
    );
    let library = refusal(r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))))"#).await;
    assert!(library.to_string().contains("no `_start`"), "{library}");
    let wrong = refusal(
        r#"(module (import "wasi_snapshot_preview1" "fd_write" (func (param i64))) (memory (export "memory") 1) (func (export "_start")))"#,
    )
    .await;
    assert!(matches!(wrong, ComponentError::Invalid { .. }), "{wrong}");
    let unknown = refusal(
        r#"(module (import "wasi_snapshot_preview1" "format_disk" (func)) (memory (export "memory") 1) (func (export "_start")))"#,
    )
    .await;
    assert!(matches!(unknown, ComponentError::Invalid { .. }), "{unknown}");
}

#[tokio::test]
async fn a_broken_module_is_refused() {
    let whole = command(CAT, "");
    for length in (8..whole.len()).step_by(97) {
        assert!(prepare(&cells(), &whole[..length]).await.is_err(), "{length}");
    }
    // A custom section that claims to be the type of a component.
    for section in
        [&b"\0\x10\x0ecomponent-type\0"[..], b"\0\x14\x0ecomponent-type\0asm\x0d", b"\0\xff\xff\xff\xff\x0f\x01a"]
    {
        let refusal = prepare(&cells(), &[&whole, section].concat()).await.unwrap_err();
        assert!(matches!(refusal, ComponentError::Invalid { .. }), "{refusal}");
    }
}

#[tokio::test]
async fn a_command_is_adapted_once_and_kept_compiled() {
    let folder = tempfile::tempdir().unwrap();
    let cached = || {
        InProcess::new(InProcessOptions { cells: 4, cache_dir: Some(folder.path().into()), ..Default::default() })
            .unwrap()
    };
    for _ in 0..2 {
        let cells = cached();
        let digest = prepare(&cells, &command(CAT, "")).await.unwrap();
        let end =
            Cells::call(&cells, call(digest, "7", CallLimits::default()), std::sync::Arc::new(Recorder::default()))
                .await;
        assert_eq!(end.result, Ok(json!(7)));
        assert_still_usable(&cells).await;
    }
    // The command, and the echo that shows that the cells are usable.
    let entries = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(entries.filter(|path| path.extension().is_some_and(|extension| extension == "cwasm")).count(), 2);
}
