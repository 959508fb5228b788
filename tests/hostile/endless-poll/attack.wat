(func (export "run") (param i32 i32) (result i32)
  (local $at i32)
  (loop $more
    (i32.store (i32.add (i32.const 2048) (local.get $at)) (call $sleep (i64.const 1000000000000000000)))
    (local.set $at (i32.add (local.get $at) (i32.const 4)))
    (br_if $more (i32.lt_u (local.get $at) (i32.const 40))))
  (call $poll (i32.const 2048) (i32.const 10) (i32.const 1100))
  unreachable)
