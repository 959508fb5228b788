(component
  (core module $main (func (export "run") (param i32) (result i32) (local.get 0)))
  (core instance $main (instantiate $main))
  (func $run (param "input" u32) (result u32) (canon lift (core func $main "run")))
  (instance $handler (export "run" (func $run)))
  (export "hotcell:task/handler@1.0.0" (instance $handler))
)
