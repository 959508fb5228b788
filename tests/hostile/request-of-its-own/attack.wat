(data (i32.const 2048) "GET")
(data (i32.const 2052) "http://127.0.0.1/")
(func (export "run") (param i32 i32) (result i32)
  (call $send (i32.const 2048) (i32.const 3) (i32.const 2052) (i32.const 17) (i32.const 0) (i32.const 0)
    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1100))
  ;; 1 is the failure, and 0 of the failures is denied.
  (if (i32.ne (i32.load8_u (i32.const 1100)) (i32.const 1)) (then (return (call $fail))))
  (if (i32.load8_u (i32.const 1104)) (then (return (call $fail))))
  (call $done))
