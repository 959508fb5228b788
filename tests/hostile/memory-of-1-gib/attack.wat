(memory $large 16384)
(func (export "run") (param i32 i32) (result i32) (call $done))
