//! The languages that tasks are written in.

use std::path::Path;

use clap::ValueEnum;

/// A language with an SDK.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// Rust, built by cargo
    Rust,
    /// JavaScript and TypeScript, built by componentize-js
    #[value(alias = "javascript", alias = "ts", alias = "typescript")]
    Js,
    /// Python, built by componentize-py
    Python,
    /// Go, built by its own compiler for WASI
    Go,
    /// C, built by clang with wasi-libc
    C,
}

impl Language {
    /// All of them.
    pub(crate) const ALL: [Language; 5] = [Language::Rust, Language::Js, Language::Python, Language::Go, Language::C];

    /// The language as people write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Language::Rust => "Rust",
            Language::Js => "TypeScript",
            Language::Python => "Python",
            Language::Go => "Go",
            Language::C => "C",
        }
    }

    /// The file with which the language's tool begins, and by which a folder's language is known.
    pub(crate) fn marker(self) -> &'static str {
        match self {
            Language::Rust => "Cargo.toml",
            Language::Js => "package.json",
            Language::Python => "requirements.txt",
            Language::Go => "go.mod",
            Language::C => "Makefile",
        }
    }

    /// The file that people edit first.
    pub(crate) fn source(self) -> &'static str {
        match self {
            Language::Rust => "src/lib.rs",
            Language::Js => "src/task.ts",
            Language::Python => "task.py",
            Language::Go => "task.go",
            Language::C => "task.c",
        }
    }

    /// The language of the task in a folder, if it is one. Of several markers, the one that stands first in [`ALL`](Self::ALL) counts.
    pub(crate) fn of(folder: &Path) -> Option<Language> {
        Language::ALL.into_iter().find(|language| folder.join(language.marker()).is_file())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_known_by_the_file_with_which_its_tool_begins() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Language::of(folder.path()), None);
        std::fs::write(folder.path().join("go.mod"), "module x").unwrap();
        assert_eq!(Language::of(folder.path()), Some(Language::Go));
    }
}
