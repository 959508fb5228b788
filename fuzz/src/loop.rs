//! Feeds an entry point from a seeded generator, on any toolchain: `loop TARGET SECONDS [SEED] [FOLDER…]`.
//!
//! Inputs are made from the files of the folders, and from those that were made before, by changing, cutting and joining
//! them. An input that fails is written to a file, and ends the program with its panic.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use hotcell_fuzz::TARGETS;

/// The largest input.
const MAX_BYTES: usize = 4_096;
/// How many inputs are kept to make others from.
const KEPT: usize = 4_000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let usage = "loop TARGET SECONDS [SEED] [FOLDER…]";
    let name = arguments.next().expect(usage);
    let seconds = arguments.next().and_then(|text| text.parse().ok()).expect(usage);
    let seed = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let (_, target) = TARGETS.into_iter().find(|(known, _)| *known == name).expect(usage);
    let mut pool = corpus(arguments.map(PathBuf::from));
    let seeds = pool.len();
    let mut random = Random(seed);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut count = 0u64;
    // Seeds first, as they are.
    for input in &pool {
        feed(&name, target, input);
    }
    while Instant::now() < end {
        let input = make(&pool, &mut random);
        feed(&name, target, &input);
        count += 1;
        if random.below(16) == 0 {
            match pool.len() {
                KEPT.. => {
                    let at = seeds + random.below(pool.len() - seeds);
                    pool[at] = input;
                }
                _ => pool.push(input),
            }
        }
    }
    println!("{name}: {} executions in {seconds} s, seed {seed}, {seeds} files", count + seeds as u64);
}

fn corpus(folders: impl Iterator<Item = PathBuf>) -> Vec<Vec<u8>> {
    let mut files: Vec<_> = folders
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flat_map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())))
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files.into_iter().filter_map(|file| std::fs::read(file).ok()).take(KEPT / 2).collect()
}

fn feed(name: &str, target: hotcell_fuzz::Target, input: &[u8]) {
    if let Err(panic) = std::panic::catch_unwind(|| target(input)) {
        let file = std::env::temp_dir().join(format!("hotcell-fuzz-{name}-{}", std::process::id()));
        std::fs::write(&file, input).expect("the input that failed can be kept");
        eprintln!("the input that failed is in {}", file.display());
        std::panic::resume_unwind(panic);
    }
}

fn make(pool: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = match pool {
        [] => Vec::new(),
        pool if random.below(8) == 0 => {
            let other = &pool[random.below(pool.len())];
            let mut joined = pool[random.below(pool.len())].clone();
            joined.truncate(random.below(joined.len() + 1));
            joined.extend(&other[random.below(other.len() + 1)..]);
            joined
        }
        pool => pool[random.below(pool.len())].clone(),
    };
    if input.is_empty() || random.below(16) == 0 {
        input = (0..random.below(600)).map(|_| random.below(256) as u8).collect();
    }
    for _ in 0..1 + random.below(6) {
        let at = random.below(input.len() + 1);
        let end = (at + random.below(12)).min(input.len());
        match random.below(6) {
            0 if at < input.len() => input[at] = random.below(256) as u8,
            1 => drop(input.drain(at..end)),
            2 => {
                let piece = input[at..end].to_vec();
                let to = random.below(input.len() + 1);
                input.splice(to..to, piece);
            }
            3 => input.insert(at, b"\n :-{}[]'\"#$&*|>.0"[random.below(18)]),
            4 if at < input.len() => input[at] ^= 1 << random.below(8),
            _ => {
                let word = WORDS[random.below(WORDS.len())].as_bytes();
                input.splice(at..end, word.iter().copied());
            }
        }
    }
    input.truncate(MAX_BYTES);
    input
}

const WORDS: [&str; 24] = [
    "${ ", " }", "do:", "- a: ", "set: ", "then: ", "if: ", "&a ", "*a", "!!str ", "|-\n", ">\n ", "\\u00e9", "''",
    "null", "1e400", "-0", ".[\"a\"]", "$context", "$secrets.", "\r\n", "\u{feff}", "try:", "catch:",
];

/// xorshift64*
struct Random(u64);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.max(1);
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % count.max(1)
    }
}
