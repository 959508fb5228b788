(func (export "run") (param i32 i32) (result i32)
  (i32.store (i32.const 2048) (call $sleep (i64.const 0)))
  (loop $forever
    (call $poll (i32.const 2048) (i32.const 1) (i32.const 1100))
    (br $forever))
  unreachable)
