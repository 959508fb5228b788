//! Components that have not been built.

use std::path::Path;

/// The files with which the tools of the languages begin. One of them makes a folder the source of a task, as `hotcell build` sees it.
const MARKERS: [&str; 5] = ["Cargo.toml", "package.json", "requirements.txt", "go.mod", "Makefile"];
/// What `hotcell build` makes.
const BUILT: &str = "task.wasm";

/// Says how to get the component that was looked for at this path, if it is plain that it has not been built: the path is that of a
/// folder with source, or of the file that is built from the source beside it.
pub(crate) fn not_built(path: &Path) -> Option<String> {
    // As a person writes it.
    let path = path.strip_prefix(".").unwrap_or(path);
    if path.is_dir() {
        return Some(match has_source(path) {
            true => format!(
                "this is the source of a task; build it with `hotcell build {}`, and name what it makes: `{}`",
                path.display(),
                path.join(BUILT).display()
            ),
            false => "this is a folder; name the component that is in it".into(),
        });
    }
    // What is there and cannot be read has another fault.
    let folder = path.parent().filter(|_| !path.exists() && path.file_name().is_some_and(|name| name == BUILT))?;
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    has_source(folder).then(|| format!("it has not been built; run `hotcell build {}`", folder.display()))
}

fn has_source(folder: &Path) -> bool {
    MARKERS.iter().any(|marker| folder.join(marker).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_not_been_built_is_told_from_what_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let task = folder.path().join("price");
        std::fs::create_dir(&task).unwrap();
        assert_eq!(not_built(&task).as_deref(), Some("this is a folder; name the component that is in it"));
        assert_eq!(not_built(&task.join("task.wasm")), None);
        std::fs::write(task.join("go.mod"), "module price").unwrap();
        let command = format!("`hotcell build {}`", task.display());
        for path in [task.clone(), task.join("task.wasm")] {
            assert!(not_built(&path).is_some_and(|advice| advice.contains(&command)), "{}", path.display());
        }
        assert_eq!(not_built(&task.join("other.wasm")), None);
    }
}
