(func (export "run") (param i32 i32) (result i32)
  (call $need (i32.const 100000000))
  (memory.fill (i32.const 65536) (i32.const 0x31) (i32.const 99000000))
  (call $ok (i32.const 65536) (i32.const 99000000)))
