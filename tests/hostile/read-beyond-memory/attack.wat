(func (export "run") (param i32 i32) (result i32)
  (drop (i64.load offset=4294967295 (i32.const -1)))
  (call $done))
