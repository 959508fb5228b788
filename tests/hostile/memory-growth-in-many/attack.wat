(component
  (import "hotcell:task/types@1.0.0" (instance $types
    (type $p (record
      (field "kind" (option string)) (field "status" (option u16)) (field "title" (option string))
      (field "detail" (option string)) (field "extensions" (option string))))
    (export "problem" (type (eq $p)))))
  (alias export $types "problem" (type $problem))
  (core module $grower
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func (export "grow")
      (local $old i32)
      (local.set $old (memory.grow (i32.const 16)))
      (if (i32.eq (local.get $old) (i32.const -1)) (then unreachable))
      (memory.fill (i32.shl (local.get $old) (i32.const 16)) (i32.const 0xaa) (i32.const 1048576))))
  (core instance $first (instantiate $grower))
  (core instance $second (instantiate $grower))
  (core instance $third (instantiate $grower))
  (core module $main
    (import "first" "grow" (func $first))
    (import "second" "grow" (func $second))
    (import "third" "grow" (func $third))
    (func (export "run") (param i32 i32) (result i32)
      (loop $more (call $first) (call $second) (call $third) (br $more))
      unreachable))
  (core instance $main (instantiate $main
    (with "first" (instance $first)) (with "second" (instance $second)) (with "third" (instance $third))))
  (func $run (param "input" string) (result (result string (error $problem)))
    (canon lift (core func $main "run")
      (memory (core memory $first "memory")) (realloc (core func $first "realloc"))))
  (instance $handler (export "problem" (type $problem)) (export "run" (func $run)))
  (export "hotcell:task/handler@1.0.0" (instance $handler))
)
