//! What the host calls.
//!
//! | export | what it does |
//! | --- | --- |
//! | `request(length) → pointer` | gives the host a place for a request of this length, in bytes |
//! | `compile(length) → answer` | compiles; the request is the number of variables, then each name, then the program |
//! | `evaluate(program, now, length) → answer` | runs; the request is JSON texts: the input, then the variables |
//! | `last_words() → answer` | what a panic said, after the module has trapped at `unreachable` |
//!
//! In a request for `compile`, numbers are 32 bits long, the least significant byte first, and a name has its length
//! before it. An answer is a pointer in the upper and a length in the lower 32 bits. Its first byte says what it is:
//!
//! | byte | then |
//! | --- | --- |
//! | 0 | the number of the compiled program, or the output as JSON |
//! | 1 | the message of the error that the program ended with |
//! | 2 | where the program is wrong, in bytes (all bits set if that is unknown), and the message |
//! | 3 | the output is larger than 8 MiB |
//! | 4 | the output is nested more than 100 levels deep |
//! | 5 | the output has more than a million values |
//! | 6 | a message: the request was not understood |

use std::cell::RefCell;

use crate::interpreter::{Failure, Interpreter};
use crate::json::Oversize;
use crate::syntax::SyntaxError;

/// All that lives from one call to the next.
struct State {
    interpreter: Interpreter,
    request: Vec<u8>,
    answer: Vec<u8>,
}

thread_local! {
    static STATE: RefCell<Option<State>> = const { RefCell::new(None) };
    static LAST_WORDS: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn with_state<R>(use_state: impl FnOnce(&mut State) -> R) -> R {
    STATE.with_borrow_mut(|state| {
        let state = state.get_or_insert_with(|| {
            std::panic::set_hook(Box::new(|panic| {
                LAST_WORDS.with_borrow_mut(|words| *words = panic.to_string().into_bytes());
            }));
            State { interpreter: Interpreter::new(), request: Vec::new(), answer: Vec::new() }
        });
        use_state(state)
    })
}

fn location(bytes: &[u8]) -> u64 {
    (bytes.as_ptr() as u64) << 32 | bytes.len() as u64
}

/// See the [module](self). The pointer is valid until the next call.
#[allow(unsafe_code, reason = "the host finds functions by their names")]
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
pub extern "C" fn request(length: usize) -> *mut u8 {
    with_state(|state| {
        state.request.clear();
        state.request.resize(length, 0);
        state.request.as_mut_ptr()
    })
}

/// See the [module](self).
#[allow(unsafe_code, reason = "the host finds functions by their names")]
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
pub extern "C" fn compile(length: usize) -> u64 {
    with_state(|state| {
        let State { interpreter, request, answer } = state;
        answer.clear();
        let Some((variables, program)) = request.get(..length).and_then(read_program) else {
            answer.push(6);
            answer.extend_from_slice(b"not a list of names and a program");
            return location(answer);
        };
        match interpreter.compile(program, &variables) {
            Ok(number) => {
                answer.push(0);
                answer.extend_from_slice(&(number as u32).to_le_bytes());
            }
            Err(SyntaxError { message, offset }) => {
                answer.push(2);
                answer.extend_from_slice(&offset.map_or(u32::MAX, |offset| offset as u32).to_le_bytes());
                answer.extend_from_slice(message.as_bytes());
            }
        }
        location(answer)
    })
}

/// See the [module](self).
#[allow(unsafe_code, reason = "the host finds functions by their names")]
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
pub extern "C" fn evaluate(program: usize, now: f64, length: usize) -> u64 {
    with_state(|state| {
        let State { interpreter, request, answer } = state;
        answer.clear();
        answer.push(0);
        if let Err(failure) = interpreter.evaluate(program, now, request.get(..length).unwrap_or_default(), answer) {
            answer.clear();
            let (kind, message) = match failure {
                Failure::Failed(message) => (1, message),
                Failure::Oversize(Oversize::Bytes) => (3, String::new()),
                Failure::Oversize(Oversize::Depth) => (4, String::new()),
                Failure::Oversize(Oversize::Values) => (5, String::new()),
                Failure::Request(message) => (6, message),
            };
            answer.push(kind);
            answer.extend_from_slice(message.as_bytes());
        }
        location(answer)
    })
}

/// See the [module](self).
#[allow(unsafe_code, reason = "the host finds functions by their names")]
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
pub extern "C" fn last_words() -> u64 {
    LAST_WORDS.with_borrow(|words| location(words))
}

/// The names of the variables, and the program.
fn read_program(mut request: &[u8]) -> Option<(Vec<&str>, &str)> {
    let mut names = Vec::new();
    for _ in 0..read_number(&mut request)? {
        let length = read_number(&mut request)?;
        let (name, rest) = request.split_at_checked(length)?;
        names.push(str::from_utf8(name).ok()?);
        request = rest;
    }
    Some((names, str::from_utf8(request).ok()?))
}

fn read_number(request: &mut &[u8]) -> Option<usize> {
    let (number, rest) = request.split_first_chunk()?;
    *request = rest;
    usize::try_from(u32::from_le_bytes(*number)).ok()
}
