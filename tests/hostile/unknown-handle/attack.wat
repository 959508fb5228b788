(func (export "run") (param i32 i32) (result i32)
  (call $write (i32.const 77) (i32.const 2048) (i32.const 1) (i32.const 1100))
  (call $done))
