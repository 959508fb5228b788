(func (export "run") (param i32 i32) (result i32)
  (local $old i32)
  (loop $more
    (local.set $old (memory.grow (i32.const 16)))
    (if (i32.eq (local.get $old) (i32.const -1)) (then unreachable))
    (memory.fill (i32.shl (local.get $old) (i32.const 16)) (i32.const 0xaa) (i32.const 1048576))
    (br $more))
  unreachable)
