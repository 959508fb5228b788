(func (export "run") (param i32 i32) (result i32)
  (local $stdin i32)
  (local.set $stdin (call $get-stdin))
  (loop $forever
    (call $read (local.get $stdin) (i64.const 1000000) (i32.const 1100))
    (br $forever))
  unreachable)
