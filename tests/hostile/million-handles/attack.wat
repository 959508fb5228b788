(func (export "run") (param i32 i32) (result i32)
  (local $i i32)
  (local.set $i (i32.const 1000000))
  (loop $more
    (drop (call $new-thing (local.get $i)))
    (br_if $more (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
  (call $done))
