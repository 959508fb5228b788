//! jq as hotcell understands it, for comparing with other implementations: `jq PROGRAM < INPUT`.

use std::io::Read;

use hotcell_builtin_jq::Interpreter;

fn main() {
    let program = std::env::args().nth(1).expect("usage: jq PROGRAM < INPUT");
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input).expect("stdin can be read");
    let mut interpreter = Interpreter::new();
    let number = match interpreter.compile(&program, &[]) {
        Ok(number) => number,
        Err(error) => return println!("syntax error at {:?}: {}", error.offset, error.message),
    };
    let mut output = Vec::new();
    match interpreter.evaluate(number, 1_425_599_621.5, &input, &mut output) {
        Ok(()) => println!("{}", String::from_utf8_lossy(&output)),
        Err(failure) => println!("{failure:?}"),
    }
}
