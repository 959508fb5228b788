//! Who one is at a registry: the configuration that `docker login` writes.

use std::path::PathBuf;

use docker_credential::{CredentialRetrievalError as Failure, DockerCredential, get_credential_from_reader};

/// Where credentials for registries come from.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    file: Option<PathBuf>,
}

/// The configuration is there and cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the credentials for {server} in {}: {reason}", .file.display())]
pub struct CredentialsError {
    server: String,
    file: PathBuf,
    reason: String,
}

/// Who one is.
#[derive(Clone)]
pub(crate) enum Identity {
    Nobody,
    User {
        name: String,
        password: String,
    },
    /// What is exchanged for an access token.
    RefreshToken(String),
}

impl Credentials {
    /// No credentials: what is public.
    pub fn none() -> Self {
        Credentials::default()
    }

    /// From this file, in the form of docker's `config.json`: credentials in it, and helpers that it names (`credsStore`,
    /// `credHelpers`), which are run. A file that is not there has none.
    pub fn file(file: PathBuf) -> Self {
        Credentials { file: Some(file) }
    }

    /// From where docker looks: `$DOCKER_CONFIG/config.json`, or else `~/.docker/config.json`.
    pub fn of_docker() -> Self {
        let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = folder("DOCKER_CONFIG").or_else(|| folder("HOME").map(|home| home.join(".docker")));
        Credentials { file: folder.map(|folder| folder.join("config.json")) }
    }

    /// Who one is at a registry, by its host and port.
    pub(crate) async fn identity(&self, registry: &str) -> Result<Identity, CredentialsError> {
        let Some(file) = self.file.clone() else { return Ok(Identity::Nobody) };
        // The name under which docker has kept its own registry since its first version.
        let server = if is_docker_hub(registry) { "https://index.docker.io/v1/" } else { registry }.to_owned();
        // Helpers are programs that are waited for.
        tokio::task::spawn_blocking(move || read(file, server)).await.expect("reading credentials does not panic")
    }
}

pub(crate) fn is_docker_hub(registry: &str) -> bool {
    matches!(registry, "docker.io" | "index.docker.io" | "registry-1.docker.io")
}

fn read(file: PathBuf, server: String) -> Result<Identity, CredentialsError> {
    let opened = match std::fs::File::open(&file) {
        Ok(opened) => std::io::BufReader::new(opened),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Identity::Nobody),
        Err(error) => return Err(CredentialsError { server, file, reason: error.to_string() }),
    };
    match get_credential_from_reader(opened, &server) {
        Ok(DockerCredential::UsernamePassword(name, password)) if name == "<token>" => {
            Ok(Identity::RefreshToken(password))
        }
        Ok(DockerCredential::UsernamePassword(name, password)) => Ok(Identity::User { name, password }),
        Ok(DockerCredential::IdentityToken(token)) => Ok(Identity::RefreshToken(token)),
        Err(Failure::NoCredentialConfigured | Failure::ConfigNotFound) => Ok(Identity::Nobody),
        // A helper that has nothing for this server says so in words, with exit code 1.
        Err(Failure::HelperFailure { stdout, .. }) if stdout.contains("credentials not found") => Ok(Identity::Nobody),
        Err(error) => Err(CredentialsError { server, file, reason: error.to_string().trim().to_owned() }),
    }
}
