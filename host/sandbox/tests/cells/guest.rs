//! Task components in text form, so that tests need no WebAssembly toolchain.

/// A task whose `run` has this body. It gets `$input` and `$length`, may use the local `$i`, and has to leave the
/// address of its result; `(call $ok …)` and `(call $fail)` make one. Imported are `$log`, `$report`,
/// `$secret`, `$current`, `$get-stdout`, `$write`, `$exit`, `$sleep` and `$block`.
///
/// The memory has 1 MiB: results stand at 1024, host calls may answer at 1100, data of tests stands from 2048 on, what
/// `realloc` gives from 64 KiB on.
pub(crate) fn task(run: &str) -> Vec<u8> {
    task_with(run, "")
}

/// The same, with more definitions in its core module: functions, tables, data.
pub(crate) fn task_with(run: &str, definitions: &str) -> Vec<u8> {
    let text = COMPONENT.replace(";;RUN", run).replace(";;DEFINITIONS", definitions);
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// A task that returns its input as its output.
pub(crate) fn echo() -> Vec<u8> {
    task("(call $ok (local.get $input) (local.get $length))")
}

/// A task that returns this text as its output.
pub(crate) fn returning(output: &str) -> Vec<u8> {
    let data = format!("(data (i32.const 2048) {})", quoted(output));
    task_with(&format!("(call $ok (i32.const 2048) (i32.const {}))", output.len()), &data)
}

/// A string in the text format.
pub(crate) fn quoted(text: &str) -> String {
    let escaped: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    format!("\"{escaped}\"")
}

const COMPONENT: &str = r#"
(component
  (import "hotcell:task/types@1.0.0" (instance $types
    (type $p (record
      (field "kind" (option string)) (field "status" (option u16)) (field "title" (option string))
      (field "detail" (option string)) (field "extensions" (option string))))
    (export "problem" (type (eq $p)))))
  (alias export $types "problem" (type $problem))
  (import "hotcell:task/context@1.0.0" (instance $context
    (alias outer 1 $problem (type $p'))
    (export "problem" (type $p (eq $p')))
    (type $w' (record (field "namespace" string) (field "name" string) (field "version" string)))
    (export "workflow" (type $w (eq $w')))
    (type $c' (record
      (field "task" string) (field "reference" string) (field "workflow" $w) (field "execution" string)
      (field "attempt" u32) (field "idempotency-key" string) (field "deadline" u64)))
    (export "call" (type $c (eq $c')))
    (type $l' (enum "trace" "debug" "info" "warn" "error"))
    (export "level" (type $l (eq $l')))
    (export "current" (func (result $c)))
    (export "log" (func (param "level" $l) (param "message" string)))
    (export "report" (func
      (param "fraction" (option f64)) (param "message" (option string)) (param "data" (option string))))
    (export "secret" (func (param "name" string) (result (result string (error $p)))))))

  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $io-error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "output-stream" (type $os (sub resource)))
    (alias outer 1 $io-error (type $e'))
    (export "error" (type $e (eq $e')))
    (type $se' (variant (case "last-operation-failed" (own $e)) (case "closed")))
    (export "stream-error" (type $se (eq $se')))
    (export "[method]output-stream.blocking-write-and-flush" (func
      (param "self" (borrow $os)) (param "contents" (list u8)) (result (result (error $se)))))))
  (alias export $streams "output-stream" (type $output-stream))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $output-stream (type $os'))
    (export "output-stream" (type $os (eq $os')))
    (export "get-stdout" (func (result (own $os))))))
  (import "wasi:cli/exit@0.2.0" (instance $exit
    (export "exit" (func (param "status" (result))))))
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $p (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $p))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $p'))
    (export "pollable" (type $p (eq $p')))
    (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))

  (core module $libc
    (memory (export "memory") 16)
    (global $next (mut i32) (i32.const 65536))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at
        (i32.and
          (i32.add (global.get $next) (i32.sub (local.get 2) (i32.const 1)))
          (i32.sub (i32.const 0) (local.get 2))))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (block $enough
        (br_if $enough (i32.le_u (global.get $next) (i32.shl (memory.size) (i32.const 16))))
        (br_if $enough (i32.ne (i32.const -1) (memory.grow
          (i32.add (i32.const 1)
            (i32.shr_u (i32.sub (global.get $next) (i32.shl (memory.size) (i32.const 16))) (i32.const 16))))))
        unreachable)
      (local.get $at)))
  (core instance $libc (instantiate $libc))
  (core func $log (canon lower (func $context "log") (memory (core memory $libc "memory"))))
  (core func $report (canon lower (func $context "report") (memory (core memory $libc "memory"))))
  (core func $secret (canon lower (func $context "secret")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core func $current (canon lower (func $context "current")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
    (memory (core memory $libc "memory"))))
  (core func $exit (canon lower (func $exit "exit")))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $sleep (canon lower (func $clock "subscribe-duration")))

  (core module $main
    (import "libc" "memory" (memory 16))
    (import "libc" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
    (import "host" "log" (func $log (param i32 i32 i32)))
    (import "host" "report" (func $report (param i32 f64 i32 i32 i32 i32 i32 i32)))
    (import "host" "secret" (func $secret (param i32 i32 i32)))
    (import "host" "current" (func $current (param i32)))
    (import "host" "get-stdout" (func $get-stdout (result i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (import "host" "exit" (func $exit (param i32)))
    (import "host" "block" (func $block (param i32)))
    (import "host" "sleep" (func $sleep (param i64) (result i32)))
    (func $ok (param $at i32) (param $length i32) (result i32)
      (i32.store8 (i32.const 1024) (i32.const 0))
      (i32.store (i32.const 1028) (local.get $at))
      (i32.store (i32.const 1032) (local.get $length))
      (i32.const 1024))
    ;; A problem. Its members are stored from 1028 on: kind at 1028, status at 1040, title at 1044, detail at
    ;; 1056, extensions at 1068.
    (func $fail (result i32)
      (i32.store8 (i32.const 1024) (i32.const 1))
      (i32.const 1024))
    (func (export "run") (param $input i32) (param $length i32) (result i32)
      (local $i i32)
      ;;RUN
    )
    ;;DEFINITIONS
  )
  (core instance $main (instantiate $main
    (with "libc" (instance $libc))
    (with "host" (instance
      (export "log" (func $log)) (export "report" (func $report)) (export "secret" (func $secret))
      (export "current" (func $current)) (export "get-stdout" (func $get-stdout)) (export "write" (func $write))
      (export "exit" (func $exit)) (export "block" (func $block)) (export "sleep" (func $sleep))))))
  (func $run (param "input" string) (result (result string (error $problem)))
    (canon lift (core func $main "run") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (instance $handler (export "problem" (type $problem)) (export "run" (func $run)))
  (export "hotcell:task/handler@1.0.0" (instance $handler))
)"#;
