(func (export "run") (param i32 i32) (result i32) (call $done))
(func (export "post-return") (param i32)
  (loop $forever (br $forever)))
