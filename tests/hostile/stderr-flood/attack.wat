(func (export "run") (param i32 i32) (result i32)
  (local $i i32) (local $stderr i32)
  (memory.fill (i32.const 65536) (i32.const 10) (i32.const 4096))
  (local.set $stderr (call $get-stderr))
  (local.set $i (i32.const 250))
  (loop $more
    (call $write (local.get $stderr) (i32.const 65536) (i32.const 4096) (i32.const 1100))
    (br_if $more (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
  (call $done))
