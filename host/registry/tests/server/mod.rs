//! The reference implementation of a registry: Debian's package `docker-registry`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// `ada` with the password `lovelace`, as `htpasswd -B` writes it.
const HTPASSWD: &str = "ada:$2y$05$kk/GSOfWkvXhgRyDZ0uS8OvdKsW22ItkcKjow6j8yaPzkHWdrH0WW\n";

/// A registry of its own for a test, with nothing in it.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
    _folder: tempfile::TempDir,
}

impl Server {
    pub(crate) fn start(with_password: bool) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let mut configuration = format!(
            "version: 0.1\nlog: {{ level: info, formatter: json }}\nstorage: {{ filesystem: {{ rootdirectory: {} }} }}\n\
             http: {{ addr: '127.0.0.1:0' }}\n",
            at("storage")
        );
        if with_password {
            std::fs::write(at("htpasswd"), HTPASSWD).unwrap();
            configuration += &format!("auth: {{ htpasswd: {{ realm: test, path: {} }} }}\n", at("htpasswd"));
        }
        std::fs::write(at("config.yaml"), configuration).unwrap();
        let mut child = Command::new("docker-registry")
            .args(["serve", &at("config.yaml")])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("docker-registry starts: apt-get install docker-registry");
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "the registry ended");
            if let Some((_, address)) = line.split_once("listening on ") {
                break address.chars().take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ':')).collect();
            }
        };
        // It must not wait for a reader.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Server { child, address, _folder: folder }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
