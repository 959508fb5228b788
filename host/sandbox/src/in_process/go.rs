//! Room for WASI in the memory of Go programs.
//!
//! What gives a preview 1 module its WASI 0.2 imports keeps its state in the module's memory, in pages that it lets the memory grow by.
//! Go's allocator takes no notice: it counts for itself how far the memory has grown since the end of the program's data, and would
//! hand out those pages as its heap (`sbrk` in Go's `runtime/mem_wasm.go`). But it also asks for growth that the memory would not need,
//! and so has its heap at the bottom and leaves as much at the top as the memory had at the beginning. A memory that begins large
//! enough, and may not grow to more than twice of it, thus always has the state beyond the heap.

use std::borrow::Cow;

/// How many pages of 64 KiB a memory has more than Go's linker gave it, which is also how many its heap may have: 64 MiB. Pages that are
/// not touched take no memory of the host's.
const ROOM: u64 = 1_024;

const CUSTOM: u8 = 0;
const MEMORY: u8 = 5;
/// The custom section by which programs that Go's compiler made are known.
const BUILD_ID: &[u8] = b"go:buildid";

/// The module, with room in its memory if Go made it. What is not well-formed stays as it is: others say what is wrong with it.
pub(super) fn with_room(module: &[u8]) -> Cow<'_, [u8]> {
    roomy(module).map_or(Cow::Borrowed(module), Cow::Owned)
}

fn roomy(module: &[u8]) -> Option<Vec<u8>> {
    let (mut is_go, mut memory) = (false, None);
    let mut at = 8;
    while at < module.len() {
        let id = module[at];
        let (size, content) = number(module, at + 1)?;
        let end = content.checked_add(usize::try_from(size).ok()?).filter(|end| *end <= module.len())?;
        match id {
            CUSTOM => {
                let (length, name) = number(module, content)?;
                let length = usize::try_from(length).ok()?;
                is_go |= module[..end].get(name..).and_then(|rest| rest.get(..length)) == Some(BUILD_ID);
            }
            MEMORY => memory = Some((at, content, end)),
            _ => {}
        }
        at = end;
    }
    let (start, content, end) = memory.filter(|_| is_go)?;
    // Go's linker makes one memory without a maximum: a count of 1, flags of 0, and the size.
    if module.get(content..content + 2) != Some(&[1, 0]) {
        return None;
    }
    let (pages, _) = number(&module[..end], content + 2)?;
    let begins = pages.checked_add(ROOM)?;
    // One, with a maximum.
    let mut section = vec![1, 1];
    append(&mut section, begins);
    append(&mut section, begins + ROOM);
    let mut roomy = Vec::with_capacity(module.len() + 8);
    roomy.extend_from_slice(&module[..start]);
    roomy.push(MEMORY);
    append(&mut roomy, section.len() as u64);
    roomy.extend_from_slice(&section);
    roomy.extend_from_slice(&module[end..]);
    Some(roomy)
}

/// A number in LEB128 of at most 32 bits, and where it ends.
fn number(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0;
    for place in 0..5 {
        let byte = *bytes.get(at.checked_add(place)?)?;
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((value, at + place + 1));
        }
    }
    None
}

fn append(bytes: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            return bytes.push(low);
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_go_made_gets_room() {
        let of_go = wat::parse_str(r#"(module (@custom "go:buildid" "\ffx") (memory 3) (func))"#).unwrap();
        let expected = wat::parse_str(r#"(module (@custom "go:buildid" "\ffx") (memory 1027 2051) (func))"#).unwrap();
        assert_eq!(with_room(&of_go), expected);
        for other in ["(module (memory 3))", r#"(module (@custom "go:buildid" "") (memory 3 4))"#, "(module)"] {
            let other = wat::parse_str(other).unwrap();
            assert!(matches!(with_room(&other), Cow::Borrowed(_)));
        }
    }

    #[test]
    fn what_is_cut_off_stays_as_it_is() {
        let whole = wat::parse_str(r#"(module (@custom "go:buildid" "x") (memory 3))"#).unwrap();
        for length in 0..whole.len() {
            assert_eq!(with_room(&whole[..length]), &whole[..length]);
        }
    }
}
