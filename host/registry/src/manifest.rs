//! The layout of WebAssembly artifacts in OCI registries.

use hotcell_sandbox::Digest;
use serde::{Deserialize, Serialize};
use wasmparser::{Encoding, Parser, Payload};

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// What is accepted in answers: docker's own names for the same two, too.
pub(crate) const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";
const CONFIG: &str = "application/vnd.wasm.config.v0+json";
const LAYER: &str = "application/wasm";
/// Layers of tools from before the guidance.
const OLDER_LAYERS: [&str; 2] =
    ["application/vnd.wasm.content.layer.v1+wasm", "application/vnd.module.wasm.content.layer.v1+wasm"];

/// A manifest or an index of manifests.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    config: Option<Descriptor>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    manifests: Vec<Descriptor>,
}

/// A blob, by its digest.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    media_type: String,
    #[serde(serialize_with = "as_text", deserialize_with = "from_text")]
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    platform: Option<Platform>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Platform {
    architecture: String,
    #[serde(default)]
    os: String,
}

/// What a document that a registry gave leads to.
pub(crate) enum Content {
    /// The blob of the component.
    Component(Descriptor),
    /// The manifest for WebAssembly, of several.
    Manifest(Descriptor),
}

impl Manifest {
    /// Where the component is; or why there is none.
    pub(crate) fn content(self) -> Result<Content, String> {
        if !self.manifests.is_empty() {
            let is_wasm = |descriptor: &Descriptor| {
                descriptor.platform.as_ref().is_some_and(|platform| platform.architecture == "wasm")
            };
            return match <[Descriptor; 1]>::try_from(self.manifests) {
                Ok([only]) => Ok(Content::Manifest(only)),
                Err(mut several) => match several.iter().position(is_wasm) {
                    Some(at) => Ok(Content::Manifest(several.swap_remove(at))),
                    None => Err("it is an index of images, none of which is for the architecture `wasm`".into()),
                },
            };
        }
        let is_wasm = |layer: &&Descriptor| layer.media_type == LAYER || OLDER_LAYERS.contains(&&*layer.media_type);
        let mut found = self.layers.iter().filter(is_wasm);
        match (found.next(), found.next()) {
            (Some(layer), None) => Ok(Content::Component(layer.clone())),
            (Some(_), Some(_)) => Err("it has several layers of WebAssembly, and none is the component".into()),
            (None, _) => {
                let kinds: Vec<&str> = self.layers.iter().take(4).map(|layer| &*layer.media_type).collect();
                match kinds.as_slice() {
                    [] => Err("it has no layers".into()),
                    kinds => Err(format!(
                        "its layers are {}; push one with `hotcell component push FILE REFERENCE`",
                        kinds.join(", ")
                    )),
                }
            }
        }
    }

    /// The manifest of a component, and its config, each as it is pushed.
    pub(crate) fn of(component: &[u8]) -> Result<(Vec<u8>, Vec<u8>), String> {
        let shape = Shape::of(component)?;
        let digest = Digest::of(component).to_string();
        let mut config = serde_json::json!({ "architecture": "wasm", "os": shape.os(), "layerDigests": [digest] });
        if shape.is_component {
            config["component"] = serde_json::json!({ "exports": shape.exports, "imports": shape.imports });
        }
        let config = config.to_string().into_bytes();
        let describe = |media_type: &str, bytes: &[u8]| Descriptor {
            media_type: media_type.into(),
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
            platform: None,
        };
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(MANIFEST.into()),
            config: Some(describe(CONFIG, &config)),
            layers: vec![describe(LAYER, component)],
            manifests: Vec::new(),
        };
        let manifest = serde_json::to_vec(&manifest).expect("a manifest is plain data");
        Ok((manifest, config))
    }
}

/// What a file of WebAssembly offers and needs, by name.
struct Shape {
    is_component: bool,
    exports: Vec<String>,
    imports: Vec<String>,
}

impl Shape {
    fn of(bytes: &[u8]) -> Result<Self, String> {
        let mut shape = Shape { is_component: false, exports: Vec::new(), imports: Vec::new() };
        let mut depth = 0;
        for payload in Parser::new(0).parse_all(bytes) {
            let broken = |error: wasmparser::BinaryReaderError| error.message().to_owned();
            match payload.map_err(broken)? {
                Payload::Version { encoding, .. } => {
                    if depth == 0 {
                        shape.is_component = encoding == Encoding::Component;
                    }
                    depth += 1;
                }
                Payload::End(_) => depth -= 1,
                Payload::ComponentExportSection(exports) if depth == 1 => {
                    for export in exports {
                        shape.exports.push(export.map_err(broken)?.name.name.to_owned());
                    }
                }
                Payload::ComponentImportSection(imports) if depth == 1 => {
                    for import in imports {
                        shape.imports.push(import.map_err(broken)?.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(shape)
    }

    fn os(&self) -> &'static str {
        if self.is_component { "wasip2" } else { "wasip1" }
    }
}

fn as_text<S: serde::Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(digest)
}

fn from_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(json: &str) -> Result<Content, String> {
        serde_json::from_str::<Manifest>(json).map_err(|error| error.to_string())?.content()
    }

    fn descriptor(media_type: &str, more: &str) -> String {
        let digest = Digest::of(b"x");
        format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":1{more}}}"#)
    }

    #[test]
    fn a_component_is_described_by_what_it_exports_and_imports() {
        let component = wat::parse_str(
            r#"(component (import "a:b/c" (instance)) (component) (core module) (instance $i) (export "hotcell:task/handler@1.0.0" (instance $i)))"#,
        )
        .unwrap();
        let (manifest, config) = Manifest::of(&component).unwrap();
        let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
        assert_eq!(config["os"], "wasip2");
        assert_eq!(config["component"]["exports"][0], "hotcell:task/handler@1.0.0");
        assert_eq!(config["component"]["imports"][0], "a:b/c");
        let Ok(Content::Component(layer)) = content(std::str::from_utf8(&manifest).unwrap()) else {
            panic!("what is pushed can be pulled")
        };
        assert_eq!((layer.digest, layer.size), (Digest::of(&component), component.len() as u64));
    }

    #[test]
    fn a_module_is_one_too_and_text_is_not() {
        let (_, config) = Manifest::of(&wat::parse_str("(module)").unwrap()).unwrap();
        assert!(String::from_utf8(config).unwrap().contains("wasip1"));
        assert!(Manifest::of(b"(module)").is_err());
        assert!(Manifest::of(b"").is_err());
    }

    #[test]
    fn what_has_no_component_says_what_it_has() {
        let image = descriptor("application/vnd.oci.image.layer.v1.tar+gzip", "");
        let wasm = descriptor("application/wasm", "");
        for (json, part) in [
            (format!(r#"{{"schemaVersion":2,"layers":[{image}]}}"#), "tar+gzip"),
            (format!(r#"{{"schemaVersion":2,"layers":[{wasm},{wasm}]}}"#), "several layers"),
            (r#"{"schemaVersion":2}"#.into(), "no layers"),
            (format!(r#"{{"schemaVersion":2,"manifests":[{image},{image}]}}"#), "none of which"),
            (
                r#"{"schemaVersion":2,"layers":[{"mediaType":"application/wasm","digest":"sha256:1","size":1}]}"#
                    .into(),
                "64",
            ),
        ] {
            let error = content(&json).map(|_| ()).expect_err(&json);
            assert!(error.contains(part), "{json}: {error}");
        }
    }

    #[test]
    fn of_an_index_the_manifest_for_wasm_is_taken() {
        let linux = descriptor(MANIFEST, r#","platform":{"architecture":"amd64","os":"linux"}"#);
        let wasm = descriptor(MANIFEST, r#","platform":{"architecture":"wasm","os":"wasip2"}"#);
        let index = format!(r#"{{"schemaVersion":2,"manifests":[{linux},{wasm}]}}"#);
        let Ok(Content::Manifest(chosen)) = content(&index) else { panic!("there is one") };
        assert_eq!(chosen.platform.unwrap().os, "wasip2");
    }
}
