(func $deeper (call $deeper) (call $deeper))
(func (export "run") (param i32 i32) (result i32)
  (call $deeper)
  unreachable)
