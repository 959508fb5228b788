(data (i32.const 2048) "\22\5cud800\22")
(func (export "run") (param i32 i32) (result i32)
  (call $ok (i32.const 2048) (i32.const 8)))
