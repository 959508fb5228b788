(data (i32.const 2048) "SECRET")
(func (export "run") (param i32 i32) (result i32)
  (local $i i32)
  (local.set $i (i32.const 10000))
  (loop $more
    (call $secret (i32.const 2048) (i32.const 6) (i32.const 1100))
    ;; It got one.
    (if (i32.eqz (i32.load8_u (i32.const 1100))) (then (return (call $fail))))
    (br_if $more (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
  (call $done))
