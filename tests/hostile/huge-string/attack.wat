(func (export "run") (param i32 i32) (result i32)
  (call $need (i32.const 106000000))
  (call $log (i32.const 2) (i32.const 65536) (i32.const 104857600))
  unreachable)
