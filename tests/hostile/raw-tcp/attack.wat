(func (export "run") (param i32 i32) (result i32)
  (call $create-tcp (i32.const 0) (i32.const 1100))
  ;; 1 is the error, and 1 of the errors is access-denied.
  (if (i32.ne (i32.load8_u (i32.const 1100)) (i32.const 1)) (then (return (call $fail))))
  (if (i32.ne (i32.load8_u (i32.const 1104)) (i32.const 1)) (then (return (call $fail))))
  (call $done))
