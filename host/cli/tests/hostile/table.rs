//! The table of `docs/security.md`: what every attack does, what it meets, and what was measured.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use libtest_mimic::Trial;

use crate::attack::{Attack, Ends, Expected, Way};
use crate::report::Report;

/// What stands before and behind the table.
const BEGIN: &str = "<!-- the table of attacks: written by scripts/security -->";
const END: &str = "<!-- the end of the table -->";

/// Set by `scripts/security`: the table is written after the tests have passed.
const WRITE: &str = "HOTCELL_SECURITY_TABLE";

/// The test that the document tells of every attack, and of no other.
pub(crate) fn trial(attacks: Vec<Attack>) -> Trial {
    Trial::test("docs/security.md tells of every attack", move || {
        if std::env::var_os(WRITE).is_some() {
            return Ok(());
        }
        let text = std::fs::read_to_string(document())?;
        let (_, table) = text.split_once(BEGIN).ok_or("docs/security.md has no table")?;
        let (table, _) = table.split_once(END).ok_or("the table of docs/security.md has no end")?;
        let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| `")).collect();
        let expected: Vec<String> =
            attacks.iter().flat_map(|attack| attack.ways.iter().map(|way| row(attack, *way))).collect();
        let mut wrong = String::new();
        for start in &expected {
            if !rows.iter().any(|row| row.starts_with(start)) {
                let _ = writeln!(wrong, "there is no row that begins {start}");
            }
        }
        for row in &rows {
            if !expected.iter().any(|start| row.starts_with(start)) {
                let _ = writeln!(wrong, "no attack is {row}");
            }
        }
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(format!("{wrong}run scripts/security").into()),
        }
    })
}

/// Writes the table, if that was asked for.
pub(crate) fn write_if_asked(folder: &Path) {
    if std::env::var_os(WRITE).is_none() {
        return;
    }
    let mut table = String::from(
        "| attack | how it runs | what it does | what it meets | how it ends | gone after | memory at its peak, and left |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for attack in Attack::all(folder) {
        for way in &attack.ways {
            let report =
                Report::of(&attack.name, *way).unwrap_or_else(|| panic!("{} was not carried out", attack.name));
            let took = report.took as f64 / 1000.0;
            let memory = match way {
                Way::Command => format!("{}, the process is gone", mebibytes(report.peak)),
                _ => format!(
                    "{}, {}",
                    more(report.peak, report.before.memory),
                    more(report.after.memory, report.before.memory)
                ),
            };
            let _ = writeln!(table, "{} {took:.2} s | {memory} |", row(&attack, *way));
        }
    }
    let path = document();
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (before, rest) = text.split_once(BEGIN).expect("there is a place for the table");
    let (_, after) = rest.split_once(END).expect("the table has an end");
    std::fs::write(&path, format!("{before}{BEGIN}\n{table}{END}{after}")).expect("it can be written");
}

/// The row of an attack as far as it is known before anything is measured.
fn row(attack: &Attack, way: Way) -> String {
    let ends = match &attack.ends {
        Ends::Problem(expected) => problem(expected),
        Ends::Refused(expected) => format!("refused: {}", problem(expected)),
        Ends::Invalid(words) => format!("refused: “{words}”"),
        Ends::Output(_) => "completes, without what it wanted".into(),
    };
    let way = match way {
        Way::InProcess => "in process",
        Way::Workers => "in a worker",
        Way::Command => "`hotcell run`",
    };
    let does = attack.does.trim().trim_end_matches('.').replace('|', "\\|");
    format!("| `{}` | {way} | {does} | {} | {} |", attack.name, attack.meets, ends.replace('|', "\\|"))
}

fn problem(expected: &Expected) -> String {
    let title = expected.title.as_ref().map_or(String::new(), |title| format!(", “{title}”"));
    format!("`{}` {}{title}", expected.kind, expected.status)
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

fn more(bytes: u64, than: u64) -> String {
    format!("+{}", mebibytes(bytes.saturating_sub(than)))
}

fn document() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/security.md")
}
