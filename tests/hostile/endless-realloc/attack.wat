(component
  (import "hotcell:task/types@1.0.0" (instance $types
    (type $p (record
      (field "kind" (option string)) (field "status" (option u16)) (field "title" (option string))
      (field "detail" (option string)) (field "extensions" (option string))))
    (export "problem" (type (eq $p)))))
  (alias export $types "problem" (type $problem))
  (core module $main
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (loop $forever (br $forever))
      unreachable)
    (func (export "run") (param i32 i32) (result i32) unreachable))
  (core instance $main (instantiate $main))
  (func $run (param "input" string) (result (result string (error $problem)))
    (canon lift (core func $main "run") (memory (core memory $main "memory")) (realloc (core func $main "realloc"))))
  (instance $handler (export "problem" (type $problem)) (export "run" (func $run)))
  (export "hotcell:task/handler@1.0.0" (instance $handler))
)
