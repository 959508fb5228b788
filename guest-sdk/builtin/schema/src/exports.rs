//! What the host calls.
//!
//! | export | what it does |
//! | --- | --- |
//! | `request(length) → pointer` | gives the host a place for a request of this length, in bytes |
//! | `validate(length) → answer` | validates; the request is the length of the schema, the schema, and the data |
//! | `last_words() → answer` | what a panic said, after the module has trapped at `unreachable` |
//!
//! The length of the schema is 32 bits long, the least significant byte first. An answer is a pointer in the upper and
//! a length in the lower 32 bits. Its first byte says what it is:
//!
//! | byte | then |
//! | --- | --- |
//! | 0 | what does not fit: a JSON array of arrays, each with a JSON Pointer and a message |
//! | 2 | all bits of 32 set, and why the schema is not valid |
//! | 6 | a message: the request was not understood |

use std::cell::RefCell;

use serde_json::json;

use crate::{Outcome, Schemas};

/// All that lives from one call to the next.
struct State {
    schemas: Schemas,
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
            State { schemas: Schemas::default(), request: Vec::new(), answer: Vec::new() }
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
pub extern "C" fn validate(length: usize) -> u64 {
    with_state(|state| {
        let State { schemas, request, answer } = state;
        answer.clear();
        let outcome = match request.get(..length).and_then(read) {
            Some((schema, data)) => schemas.validate(schema, data),
            None => Outcome::InvalidData("not a schema and data".to_owned()),
        };
        match outcome {
            Outcome::Validated(violations) => {
                let list: Vec<_> = violations.into_iter().map(|found| json!([found.pointer, found.message])).collect();
                answer.push(0);
                answer.extend_from_slice(json!(list).to_string().as_bytes());
            }
            Outcome::InvalidSchema(message) => {
                answer.push(2);
                answer.extend_from_slice(&u32::MAX.to_le_bytes());
                answer.extend_from_slice(message.as_bytes());
            }
            Outcome::InvalidData(message) => {
                answer.push(6);
                answer.extend_from_slice(message.as_bytes());
            }
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

/// The schema and the data.
fn read(request: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = request.split_first_chunk()?;
    let (schema, data) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    Some((str::from_utf8(schema).ok()?, data))
}
