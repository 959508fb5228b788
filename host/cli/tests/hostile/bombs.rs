//! Components that are small to describe, and large, or large once they are compiled.

use std::fmt::Write;

use serde::Deserialize;

/// A component that is made when it is needed.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Bomb {
    /// A module with 100,000 functions.
    ManyFunctions,
    /// A function of a million instructions, all of whose values are alive at its end.
    GiantFunction,
    /// Blocks nested 100,000 levels deep.
    DeepBlocks,
    /// 10,000 imports.
    ManyImports,
    /// 60 MB of bytes that mean nothing.
    Padding60,
    /// 65 MiB of bytes that mean nothing.
    Padding65,
    /// Components in components, each of which instantiates the one in it ten times, ten levels deep.
    NestedInstances,
    /// Types that are made of types: 2 to the power of 30 fields, in a few hundred bytes.
    TypeDoubling,
    /// A `br_table` with a million targets in each of a hundred functions.
    JumpTables,
    /// A thousand core instances in one component.
    ManyInstances,
    /// A data segment for each byte: 100,000 of them.
    ManySegments,
    /// What wasmtime compiles a harmless component to.
    Compiled,
    /// A core module.
    CoreModule,
    /// A component that ends in its middle.
    Truncated,
    /// The bytes of a component, every hundredth of which is another.
    Garbled,
}

impl Bomb {
    /// Its bytes.
    pub(crate) fn make(self) -> Vec<u8> {
        match self {
            Bomb::ManyFunctions => {
                let functions = "(func (param i32) (result i32) local.get 0 i32.const 1 i32.add)".repeat(100_000);
                text(&format!("(component (core module {functions}))"))
            }
            Bomb::GiantFunction => {
                // Each value is used at the end, so that none of them can be forgotten before.
                let mut body = String::new();
                for at in 0..200_000 {
                    let _ = write!(body, "(f64.load offset={} (local.get 0))", at % 60_000);
                }
                body += &"(f64.add)".repeat(199_999);
                text(&format!("(component (core module (memory 1) (func (param i32) (result f64) {body})))"))
            }
            Bomb::DeepBlocks => {
                let body = "block ".repeat(100_000) + &"end ".repeat(100_000);
                text(&format!("(component (core module (func {body})))"))
            }
            Bomb::ManyImports => {
                let imports: String = (0..10_000).map(|at| format!("(import \"a{at}:b/c\" (instance))")).collect();
                text(&format!("(component {imports})"))
            }
            Bomb::Padding60 => padded(60_000_000),
            Bomb::Padding65 => padded(65 << 20),
            Bomb::NestedInstances => nested_instances(10, 10),
            Bomb::TypeDoubling => {
                let mut types = String::from("(type $t0 (tuple u8 u8))");
                for at in 1..30 {
                    let _ = write!(types, "(type $t{at} (tuple $t{} $t{}))", at - 1, at - 1);
                }
                text(&format!("(component {types} (import \"a\" (func (param \"b\" $t29))))"))
            }
            Bomb::JumpTables => {
                let targets = "0 ".repeat(100_000);
                let function = format!("(func (param i32) (block (br_table {targets} (local.get 0))))");
                text(&format!("(component (core module {}))", function.repeat(60)))
            }
            Bomb::ManyInstances => {
                let instances = "(core instance (instantiate $m))".repeat(900);
                text(&format!("(component (core module $m (memory 1)) {instances})"))
            }
            Bomb::ManySegments => {
                let segments = "(data (i32.const 0) \"a\")".repeat(100_000);
                text(&format!("(component (core module (memory 1) {segments}))"))
            }
            Bomb::Compiled => {
                let mut config = hotcell_sandbox::engine_config(1);
                let engine = wasmtime::Engine::new(config.epoch_interruption(true)).expect("an engine");
                engine.precompile_component(&crate::component::echo()).expect("a component")
            }
            Bomb::CoreModule => text("(module (func (export \"run\")))"),
            Bomb::Truncated => {
                let whole = crate::component::echo();
                whole[..whole.len() / 2].to_vec()
            }
            Bomb::Garbled => {
                let mut bytes = crate::component::echo();
                bytes.iter_mut().skip(100).step_by(100).for_each(|byte| *byte ^= 0x55);
                bytes
            }
        }
    }
}

fn text(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

/// A component that echoes, and has a section of so many bytes that mean nothing.
fn padded(bytes: usize) -> Vec<u8> {
    let mut component = crate::component::echo();
    // A custom section: its number, its length, its name, and what it holds.
    let name = b"\x07padding";
    component.push(0);
    let mut length = name.len() + bytes;
    loop {
        let more = length > 0x7f;
        component.push((length & 0x7f) as u8 | if more { 0x80 } else { 0 });
        length >>= 7;
        if !more {
            break;
        }
    }
    component.extend_from_slice(name);
    component.resize(component.len() + bytes, 0);
    component
}

/// Components in components, each of which instantiates the one in it so many times.
fn nested_instances(levels: usize, times: usize) -> Vec<u8> {
    let mut inner = String::from("(component $c (core module $m (func)) (core instance (instantiate $m)))");
    for _ in 0..levels {
        inner = format!("(component $c {inner} {})", "(instance (instantiate $c))".repeat(times));
    }
    text(&inner.replacen("(component $c", "(component", 1))
}
