;; The task around each `attack.wat`, which stands in its core module, where the mark is, and exports `run`.
;;
;; `run` gets the place and the length of its input and leaves the address of its result. `$ok` and `$fail` make one.
;; Results stand at 1024, host calls may answer from 1100 on, an attack's own data stands from 2048 on, what `realloc`
;; gives from 64 KiB on. The memory begins with 1 MiB.
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
    (type $l' (enum "trace" "debug" "info" "warn" "error"))
    (export "level" (type $l (eq $l')))
    (export "log" (func (param "level" $l) (param "message" string)))
    (export "report" (func
      (param "fraction" (option f64)) (param "message" (option string)) (param "data" (option string))))
    (export "secret" (func (param "name" string) (result (result string (error $p)))))))
  (import "hotcell:builtin/http@1.0.0" (instance $http
    (type $q' (record
      (field "method" string) (field "uri" string) (field "headers" (list (tuple string string)))
      (field "body" (option (list u8)))))
    (export "request" (type $q (eq $q')))
    (type $a' (record
      (field "status" u16) (field "headers" (list (tuple string string))) (field "body" (list u8))))
    (export "response" (type $a (eq $a')))
    (type $f' (variant
      (case "denied" string) (case "invalid" string) (case "unreachable" string) (case "late" string)
      (case "too-large" string)))
    (export "failure" (type $f (eq $f')))
    (export "read" (func (param "path" string) (result (result (list u8) (error $f)))))
    (export "send" (func (param "request" $q) (result (result $a (error $f)))))))

  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $io-error))
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $p (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $p))))
    (export "poll" (func (param "in" (list (borrow $p))) (result (list u32))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "output-stream" (type $os (sub resource)))
    (export "input-stream" (type $is (sub resource)))
    (alias outer 1 $io-error (type $e'))
    (export "error" (type $e (eq $e')))
    (type $se' (variant (case "last-operation-failed" (own $e)) (case "closed")))
    (export "stream-error" (type $se (eq $se')))
    (export "[method]input-stream.blocking-read" (func
      (param "self" (borrow $is)) (param "len" u64) (result (result (list u8) (error $se)))))
    (export "[method]output-stream.blocking-write-and-flush" (func
      (param "self" (borrow $os)) (param "contents" (list u8)) (result (result (error $se)))))
    (export "[method]output-stream.write" (func
      (param "self" (borrow $os)) (param "contents" (list u8)) (result (result (error $se)))))))
  (alias export $streams "output-stream" (type $output-stream))
  (alias export $streams "input-stream" (type $input-stream))
  (import "wasi:cli/stdin@0.2.0" (instance $stdin
    (alias outer 1 $input-stream (type $is'))
    (export "input-stream" (type $is (eq $is')))
    (export "get-stdin" (func (result (own $is))))))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $output-stream (type $os'))
    (export "output-stream" (type $os (eq $os')))
    (export "get-stdout" (func (result (own $os))))))
  (import "wasi:cli/stderr@0.2.0" (instance $stderr
    (alias outer 1 $output-stream (type $os'))
    (export "output-stream" (type $os (eq $os')))
    (export "get-stderr" (func (result (own $os))))))
  (import "wasi:cli/environment@0.2.0" (instance $environment
    (export "get-environment" (func (result (list (tuple string string)))))))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $p'))
    (export "pollable" (type $p (eq $p')))
    (export "now" (func (result u64)))
    (export "resolution" (func (result u64)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
  (import "wasi:clocks/wall-clock@0.2.0" (instance $wall
    (type $d' (record (field "seconds" u64) (field "nanoseconds" u32)))
    (export "datetime" (type $d (eq $d')))
    (export "now" (func (result $d)))))
  (import "wasi:random/random@0.2.0" (instance $random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))
  (import "wasi:filesystem/types@0.2.0" (instance $files (export "descriptor" (type (sub resource)))))
  (alias export $files "descriptor" (type $descriptor))
  (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
    (alias outer 1 $descriptor (type $d'))
    (export "descriptor" (type $d (eq $d')))
    (export "get-directories" (func (result (list (tuple (own $d) string)))))))
  (import "wasi:sockets/network@0.2.0" (instance $network (export "network" (type (sub resource)))))
  (alias export $network "network" (type $net))
  (import "wasi:sockets/instance-network@0.2.0" (instance $instance-network
    (alias outer 1 $net (type $n'))
    (export "network" (type $n (eq $n')))
    (export "instance-network" (func (result (own $n))))))
  (type $socket-error (enum
    "unknown" "access-denied" "not-supported" "invalid-argument" "out-of-memory" "timeout" "concurrency-conflict"
    "not-in-progress" "would-block" "invalid-state" "new-socket-limit" "address-not-bindable" "address-in-use"
    "remote-unreachable" "connection-refused" "connection-reset" "connection-aborted" "datagram-too-large"
    "name-unresolvable" "temporary-resolver-failure" "permanent-resolver-failure"))
  (import "wasi:sockets/ip-name-lookup@0.2.0" (instance $names
    (alias outer 1 $net (type $n'))
    (export "network" (type $n (eq $n')))
    (alias outer 1 $socket-error (type $e'))
    (export "error-code" (type $e (eq $e')))
    (export "resolve-address-stream" (type $s (sub resource)))
    (export "resolve-addresses" (func
      (param "network" (borrow $n)) (param "name" string) (result (result (own $s) (error $e)))))))
  (import "wasi:sockets/tcp@0.2.0" (instance $tcp (export "tcp-socket" (type (sub resource)))))
  (alias export $tcp "tcp-socket" (type $tcp-socket))
  (import "wasi:sockets/tcp-create-socket@0.2.0" (instance $create-tcp
    (alias outer 1 $tcp-socket (type $s'))
    (export "tcp-socket" (type $s (eq $s')))
    (alias outer 1 $socket-error (type $e'))
    (export "error-code" (type $e (eq $e')))
    (type $f' (enum "ipv4" "ipv6"))
    (export "ip-address-family" (type $f (eq $f')))
    (export "create-tcp-socket" (func (param "address-family" $f) (result (result (own $s) (error $e)))))))
  (import "wasi:sockets/udp@0.2.0" (instance $udp (export "udp-socket" (type (sub resource)))))
  (alias export $udp "udp-socket" (type $udp-socket))
  (import "wasi:sockets/udp-create-socket@0.2.0" (instance $create-udp
    (alias outer 1 $udp-socket (type $s'))
    (export "udp-socket" (type $s (eq $s')))
    (alias outer 1 $socket-error (type $e'))
    (export "error-code" (type $e (eq $e')))
    (type $f' (enum "ipv4" "ipv6"))
    (export "ip-address-family" (type $f (eq $f')))
    (export "create-udp-socket" (func (param "address-family" $f) (result (result (own $s) (error $e)))))))

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
  (alias core export $libc "memory" (core memory $memory))
  (alias core export $libc "realloc" (core func $realloc))
  (core func $log (canon lower (func $context "log") (memory $memory)))
  (core func $report (canon lower (func $context "report") (memory $memory)))
  (core func $secret (canon lower (func $context "secret") (memory $memory) (realloc $realloc)))
  (core func $read-file (canon lower (func $http "read") (memory $memory) (realloc $realloc)))
  (core func $send (canon lower (func $http "send") (memory $memory) (realloc $realloc)))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $poll (canon lower (func $poll "poll") (memory $memory) (realloc $realloc)))
  (core func $read (canon lower (func $streams "[method]input-stream.blocking-read")
    (memory $memory) (realloc $realloc)))
  (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
    (memory $memory)))
  (core func $write-much (canon lower (func $streams "[method]output-stream.write") (memory $memory)))
  (core func $get-stdin (canon lower (func $stdin "get-stdin")))
  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $get-stderr (canon lower (func $stderr "get-stderr")))
  (core func $get-environment (canon lower (func $environment "get-environment") (memory $memory) (realloc $realloc)))
  (core func $now (canon lower (func $clock "now")))
  (core func $resolution (canon lower (func $clock "resolution")))
  (core func $sleep (canon lower (func $clock "subscribe-duration")))
  (core func $wall-now (canon lower (func $wall "now") (memory $memory)))
  (core func $random (canon lower (func $random "get-random-bytes") (memory $memory) (realloc $realloc)))
  (core func $get-directories (canon lower (func $preopens "get-directories") (memory $memory) (realloc $realloc)))
  (core func $instance-network (canon lower (func $instance-network "instance-network")))
  (core func $resolve-addresses (canon lower (func $names "resolve-addresses") (memory $memory)))
  (core func $create-tcp (canon lower (func $create-tcp "create-tcp-socket") (memory $memory)))
  (core func $create-udp (canon lower (func $create-udp "create-udp-socket") (memory $memory)))
  ;; A resource of the task's own, of which it can make handles without its host.
  (type $thing (resource (rep i32)))
  (core func $new-thing (canon resource.new $thing))
  (core func $drop-stream (canon resource.drop $output-stream))

  (core module $main
    (import "libc" "memory" (memory 16))
    (import "libc" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
    (import "host" "log" (func $log (param i32 i32 i32)))
    (import "host" "report" (func $report (param i32 f64 i32 i32 i32 i32 i32 i32)))
    (import "host" "secret" (func $secret (param i32 i32 i32)))
    (import "host" "read-file" (func $read-file (param i32 i32 i32)))
    ;; method, URI, headers, body: each a place and a length, the body behind whether there is one.
    (import "host" "send" (func $send (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
    (import "host" "block" (func $block (param i32)))
    (import "host" "poll" (func $poll (param i32 i32 i32)))
    (import "host" "read" (func $read (param i32 i64 i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (import "host" "write-much" (func $write-much (param i32 i32 i32 i32)))
    (import "host" "get-stdin" (func $get-stdin (result i32)))
    (import "host" "get-stdout" (func $get-stdout (result i32)))
    (import "host" "get-stderr" (func $get-stderr (result i32)))
    (import "host" "get-environment" (func $get-environment (param i32)))
    (import "host" "now" (func $now (result i64)))
    (import "host" "resolution" (func $resolution (result i64)))
    (import "host" "sleep" (func $sleep (param i64) (result i32)))
    (import "host" "wall-now" (func $wall-now (param i32)))
    (import "host" "random" (func $random (param i64 i32)))
    (import "host" "get-directories" (func $get-directories (param i32)))
    (import "host" "instance-network" (func $instance-network (result i32)))
    (import "host" "resolve-addresses" (func $resolve-addresses (param i32 i32 i32 i32)))
    (import "host" "create-tcp" (func $create-tcp (param i32 i32)))
    (import "host" "create-udp" (func $create-udp (param i32 i32)))
    (import "host" "new-thing" (func $new-thing (param i32) (result i32)))
    (import "host" "drop-stream" (func $drop-stream (param i32)))
    ;; The task's output is the JSON text at this place.
    (func $ok (param $at i32) (param $length i32) (result i32)
      (i32.store8 (i32.const 1024) (i32.const 0))
      (i32.store (i32.const 1028) (local.get $at))
      (i32.store (i32.const 1032) (local.get $length))
      (i32.const 1024))
    ;; The task has nothing to say.
    (func $done (result i32) (call $ok (i32.const 2000) (i32.const 4)))
    (data (i32.const 2000) "null")
    ;; The task returns a problem that says nothing.
    (func $fail (result i32)
      (i32.store8 (i32.const 1024) (i32.const 1))
      (i32.const 1024))
    ;; Memory up to this address, or the end.
    (func $need (param $end i32)
      (local $pages i32)
      (local.set $pages (i32.sub (i32.add (i32.shr_u (local.get $end) (i32.const 16)) (i32.const 1)) (memory.size)))
      (if (i32.gt_s (local.get $pages) (i32.const 0)) (then
        (if (i32.eq (i32.const -1) (memory.grow (local.get $pages))) (then unreachable)))))
    ;;ATTACK
  )
  (core instance $main (instantiate $main
    (with "libc" (instance $libc))
    (with "host" (instance
      (export "log" (func $log)) (export "report" (func $report)) (export "secret" (func $secret))
      (export "read-file" (func $read-file)) (export "send" (func $send)) (export "block" (func $block))
      (export "poll" (func $poll)) (export "read" (func $read)) (export "write" (func $write))
      (export "write-much" (func $write-much)) (export "get-stdin" (func $get-stdin))
      (export "get-stdout" (func $get-stdout)) (export "get-stderr" (func $get-stderr))
      (export "get-environment" (func $get-environment)) (export "now" (func $now))
      (export "resolution" (func $resolution)) (export "sleep" (func $sleep)) (export "wall-now" (func $wall-now))
      (export "random" (func $random)) (export "get-directories" (func $get-directories))
      (export "instance-network" (func $instance-network)) (export "resolve-addresses" (func $resolve-addresses))
      (export "create-tcp" (func $create-tcp)) (export "create-udp" (func $create-udp))
      (export "new-thing" (func $new-thing)) (export "drop-stream" (func $drop-stream))))))
  (func $run (param "input" string) (result (result string (error $problem)))
    (canon lift (core func $main "run") (memory $memory) (realloc $realloc) ;;POST-RETURN
    ))
  (instance $handler (export "problem" (type $problem)) (export "run" (func $run)))
  (export "hotcell:task/handler@1.0.0" (instance $handler))
)
