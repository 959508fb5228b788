(func (export "run") (param i32 i32) (result i32)
  (local $i i32)
  (memory.fill (i32.const 65536) (i32.const 97) (i32.const 200))
  (local.set $i (i32.const 1000000))
  (loop $more
    (call $log (i32.const 2) (i32.const 65536) (i32.const 200))
    (br_if $more (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
  (call $done))
