//! The standard layout of a WebAssembly component in a registry: a manifest, a config that lists
//! the component's imports and exports, and one layer, the component. `wkg` and `oras` read it.
//!
//! The layout: <https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/>.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::component::describe;
use crate::digest::Digest;

pub const MANIFEST_MEDIA_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
pub const WASM_CONFIG_MEDIA_TYPE: &str = "application/vnd.wasm.config.v0+json";
pub const WASM_MEDIA_TYPE: &str = "application/wasm";
/// What `oras` calls the file.
pub const ANNOTATION_TITLE: &str = "org.opencontainers.image.title";

/// The manifest of a component has about 1 KB; this leaves room for annotations, and an answer that
/// is larger is not read on.
pub const MANIFEST_MAX_BYTES: u64 = 1 << 20;
/// A name per import and export.
pub const CONFIG_MAX_BYTES: u64 = 1 << 20;
/// What the engine loads at most.
pub const COMPONENT_MAX_BYTES: u64 = 256 << 20;
/// The component, and nothing else.
pub const LAYERS_MAX: usize = 1;

/// Reproducible: the same component has the same manifest whenever it is pushed.
pub(crate) const CREATED: &str = "1970-01-01T00:00:00Z";

/// What a manifest says of some content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    pub media_type: String,
    pub digest: Digest,
    /// In bytes.
    pub size: u64,
    /// Of a manifest that an index lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// Of these bytes.
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.into(),
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
            artifact_type: None,
            annotations: BTreeMap::new(),
        }
    }
}

/// A manifest of one image; unknown members are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    pub schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    pub config: Descriptor,
    pub layers: Vec<Descriptor>,
    /// The manifest that this one says something of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// Why something is no artifact of a harness.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("it is a core module, not a component; build it for a component target")]
    CoreModule,
    #[error("it is not a WebAssembly component")]
    NotComponent(#[source] wasmparser::BinaryReaderError),
    #[error("its manifest has {0} bytes; at most {MANIFEST_MAX_BYTES} are read")]
    TooLong(u64),
    #[error("its manifest is malformed")]
    Malformed(#[source] serde_json::Error),
    #[error("it is a {0}, not the manifest of a WebAssembly component")]
    Kind(String),
    #[error("its config is a {0}: it is no WebAssembly component")]
    Config(String),
    #[error("its config says {0} bytes; at most {CONFIG_MAX_BYTES} are read")]
    ConfigSize(u64),
    #[error("it has {0} layers; a harness has one, the component")]
    Layers(usize),
    #[error("its layer is a {0}, not {WASM_MEDIA_TYPE}")]
    Layer(String),
    #[error("its component says {0} bytes; a harness has 1 to {COMPONENT_MAX_BYTES}")]
    Size(u64),
    #[error("it is content in {0} chunks; it may have 1 to {max}", max = crate::chunked::CHUNKS_MAX)]
    Chunks(usize),
    #[error("one of its layers is a {0}, not {kind}", kind = crate::chunked::CHUNK_MEDIA_TYPE)]
    Chunk(String),
    #[error("one of its chunks says {0} bytes; one has 1 to {max}", max = crate::chunked::CHUNK_MAX_BYTES)]
    ChunkSize(u64),
    #[error("its content is a `{found}`, not a `{expected}`")]
    Content { found: String, expected: String },
    #[error("the title of its layer is no file name: `{0}`")]
    Title(String),
}

impl Manifest {
    /// Reads any manifest of one image.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        if bytes.len() as u64 > MANIFEST_MAX_BYTES {
            return Err(ManifestError::TooLong(bytes.len() as u64));
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Kind {
            media_type: Option<String>,
        }
        let kind: Kind = serde_json::from_slice(bytes).map_err(ManifestError::Malformed)?;
        if let Some(kind) = kind.media_type.filter(|kind| kind != MANIFEST_MEDIA_TYPE) {
            return Err(ManifestError::Kind(line(&kind)));
        }
        serde_json::from_slice(bytes).map_err(ManifestError::Malformed)
    }

    /// The component of a harness's manifest; everything that this manifest says was checked.
    pub fn component(&self) -> Result<&Descriptor, ManifestError> {
        if self.config.media_type != WASM_CONFIG_MEDIA_TYPE {
            return Err(ManifestError::Config(line(&self.config.media_type)));
        }
        if self.config.size > CONFIG_MAX_BYTES {
            return Err(ManifestError::ConfigSize(self.config.size));
        }
        let [layer] = self.layers.as_slice() else {
            return Err(ManifestError::Layers(self.layers.len()));
        };
        if layer.media_type != WASM_MEDIA_TYPE {
            return Err(ManifestError::Layer(line(&layer.media_type)));
        }
        if layer.size == 0 || layer.size > COMPONENT_MAX_BYTES {
            return Err(ManifestError::Size(layer.size));
        }
        // Nothing is ever written under a title; one that leaves its folder was meant to harm.
        if let Some(title) = layer.annotations.get(ANNOTATION_TITLE)
            && (title.contains(['/', '\\', '\0']) || matches!(title.as_str(), "" | "." | ".."))
        {
            return Err(ManifestError::Title(line(title)));
        }
        Ok(layer)
    }
}

/// A component with everything that a registry wants of it.
#[derive(Debug, Clone)]
pub struct Packed {
    pub config: Vec<u8>,
    pub manifest: Vec<u8>,
    /// The digest that the component is pulled by.
    pub digest: Digest,
    pub component: Descriptor,
    pub config_descriptor: Descriptor,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'a> {
    created: &'a str,
    architecture: &'a str,
    os: &'a str,
    layer_digests: [Digest; 1],
    component: Surface<'a>,
}

#[derive(Serialize)]
struct Surface<'a> {
    exports: &'a [String],
    imports: &'a [String],
}

/// Makes the manifest of a component: the same for the same bytes and title. `title` is the file's
/// name, like `pi.wasm`.
pub fn pack(component: &[u8], title: &str) -> Result<Packed, ManifestError> {
    let size = component.len() as u64;
    if size > COMPONENT_MAX_BYTES {
        return Err(ManifestError::Size(size));
    }
    let described = describe(component)?;
    let mut layer = Descriptor::of(WASM_MEDIA_TYPE, component);
    layer.annotations.insert(ANNOTATION_TITLE.into(), title.into());
    let config = Config {
        created: CREATED,
        architecture: "wasm",
        os: "wasip2",
        layer_digests: [layer.digest],
        component: Surface { exports: &described.exports, imports: &described.imports },
    };
    let config = serde_json::to_vec(&config).map_err(ManifestError::Malformed)?;
    let config_descriptor = Descriptor::of(WASM_CONFIG_MEDIA_TYPE, &config);
    let mut annotations = described.annotations;
    annotations.insert("org.opencontainers.image.created".into(), CREATED.into());
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(MANIFEST_MEDIA_TYPE.into()),
        artifact_type: None,
        config: config_descriptor.clone(),
        layers: vec![layer.clone()],
        subject: None,
        annotations,
    };
    manifest.component()?;
    let manifest = serde_json::to_vec(&manifest).map_err(ManifestError::Malformed)?;
    let digest = Digest::of(&manifest);
    Ok(Packed { config, manifest, digest, component: layer, config_descriptor })
}

/// A text of a stranger, fit for an error.
pub(crate) fn line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component() -> Vec<u8> {
        wat::parse_str(
            r#"(component (@custom "licenses" "MIT") (import "a:b/c@0.1.0" (instance)))"#,
        )
        .unwrap()
    }

    #[test]
    fn the_same_component_has_the_same_manifest() {
        let (one, two) =
            (pack(&component(), "a.wasm").unwrap(), pack(&component(), "a.wasm").unwrap());
        assert_eq!(one.manifest, two.manifest);
        let read = Manifest::parse(&one.manifest).unwrap();
        assert_eq!(read.component().unwrap(), &one.component);
        assert_eq!(read.annotations["org.opencontainers.image.licenses"], "MIT");
        let config = String::from_utf8(one.config).unwrap();
        assert!(config.contains(r#""imports":["a:b/c@0.1.0"]"#), "{config}");
        assert!(config.contains(&format!(r#""layerDigests":["{}"]"#, one.component.digest)));
    }

    #[test]
    fn what_is_no_harness_is_refused() {
        let good = String::from_utf8(pack(&component(), "a.wasm").unwrap().manifest).unwrap();
        let size = component().len();
        let layer = good.split_once(r#""layers":["#).unwrap().1.split_once("]").unwrap().0;
        for (from, to, expected) in [
            (layer, String::new(), "it has 0 layers"),
            (layer, format!("{layer},{layer}"), "it has 2 layers"),
            (WASM_CONFIG_MEDIA_TYPE, "application/x".into(), "its config is a application/x"),
            (WASM_MEDIA_TYPE, "application/x".into(), "its layer is a application/x"),
            (
                &format!("\"size\":{size}"),
                "\"size\":999999999999".into(),
                "says 999999999999 bytes",
            ),
            (&format!("\"size\":{size}"), "\"size\":0".into(), "says 0 bytes"),
            (&format!("\"size\":{size}"), "\"size\":-1".into(), "malformed"),
            ("a.wasm", "../../evil".into(), "no file name: `../../evil`"),
            ("a.wasm", "/etc/passwd".into(), "no file name"),
            ("a.wasm", "..".into(), "no file name"),
            (".manifest.v1", ".index.v1".into(), "not the manifest of a WebAssembly"),
            ("sha256:", "sha256:0".into(), "malformed"),
            ("{", "[".into(), "malformed"),
        ] {
            let bad = good.replacen(from, &to, if from == "{" { 1 } else { 9 });
            assert_ne!(bad, good, "{from}");
            let read = Manifest::parse(bad.as_bytes()).and_then(|m| m.component().cloned());
            let error = read.unwrap_err().to_string();
            assert!(error.contains(expected), "{to}: {error}");
        }
        let long = vec![b' '; MANIFEST_MAX_BYTES as usize + 1];
        assert!(matches!(Manifest::parse(&long), Err(ManifestError::TooLong(_))));
    }
}
