//! Where cosign keeps signatures in a registry: an image under the tag `sha256-HEX.sig`, whose layers
//! are what was signed, each with its signature as an annotation.
//!
//! The layout: <https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md>.

use artifact::{Descriptor, Digest, MANIFEST_MEDIA_TYPE, Manifest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::payload::{PAYLOAD_MAX_BYTES, PAYLOAD_MEDIA_TYPE};
use crate::verify::{SIGNATURE_MAX_BYTES, SIGNATURES_MAX};

const ANNOTATION: &str = "dev.cosignproject.cosign/signature";
/// Of a manifest of signatures that refers to what is signed.
pub(crate) const ARTIFACT_TYPE: &str = "application/vnd.dev.cosign.artifact.sig.v1+json";
const CONFIG_MEDIA_TYPE: &str = "application/vnd.oci.image.config.v1+json";
/// Not known, as cosign writes it: a time would make two signatures of one thing differ.
const CREATED: &str = "0001-01-01T00:00:00Z";

/// The tag of the signatures of `digest`.
pub(crate) fn tag(digest: Digest) -> String {
    format!("sha256-{}.sig", digest.hex())
}

/// The layers that hold a payload, each with its signature; what is malformed or too long is passed
/// over, and so is what comes after the largest number.
pub(crate) fn entries(manifest: &Manifest) -> Vec<(&Descriptor, Vec<u8>)> {
    let entry = |layer| Some((layer, signature(layer)?));
    manifest.layers.iter().filter_map(entry).take(SIGNATURES_MAX).collect()
}

fn signature(layer: &Descriptor) -> Option<Vec<u8>> {
    let fits = layer.size <= PAYLOAD_MAX_BYTES as u64;
    let text = layer.annotations.get(ANNOTATION)?;
    // Four characters hold three bytes.
    if layer.media_type != PAYLOAD_MEDIA_TYPE || !fits || text.len() > SIGNATURE_MAX_BYTES * 2 {
        return None;
    }
    STANDARD.decode(text).ok().filter(|signature| signature.len() <= SIGNATURE_MAX_BYTES)
}

/// The layer of one signature.
pub(crate) fn layer(payload: &[u8], signature: &[u8]) -> Descriptor {
    let mut layer = Descriptor::of(PAYLOAD_MEDIA_TYPE, payload);
    layer.annotations.insert(ANNOTATION.into(), STANDARD.encode(signature));
    layer
}

/// The image of some signatures, and its config.
pub(crate) fn image(layers: Vec<Descriptor>) -> (Manifest, Vec<u8>) {
    let digests: Vec<_> = layers.iter().map(|layer| layer.digest.to_string()).collect();
    let config = serde_json::json!({
        "architecture": "",
        "created": CREATED,
        "history": layers.iter().map(|_| serde_json::json!({ "created": CREATED })).collect::<Vec<_>>(),
        "os": "",
        "rootfs": { "type": "layers", "diff_ids": digests },
        "config": {},
    });
    let config = config.to_string().into_bytes();
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(MANIFEST_MEDIA_TYPE.into()),
        artifact_type: None,
        config: Descriptor::of(CONFIG_MEDIA_TYPE, &config),
        layers,
        subject: None,
        annotations: std::collections::BTreeMap::new(),
    };
    (manifest, config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_is_found_and_what_is_malformed_passed_over() {
        let good = layer(b"payload", b"signature");
        let text = |text: &str| {
            let mut layer = good.clone();
            layer.annotations.insert(ANNOTATION.into(), text.into());
            layer
        };
        let layers = vec![
            Descriptor::of(PAYLOAD_MEDIA_TYPE, b"without"),
            text("no base64!"),
            text(&"A".repeat(400)),
            Descriptor { media_type: "text/plain".into(), ..good.clone() },
            Descriptor { size: PAYLOAD_MAX_BYTES as u64 + 1, ..good.clone() },
            good.clone(),
        ];
        let (manifest, config) = image(layers);
        assert_eq!(entries(&manifest), [(&good, b"signature".to_vec())]);
        assert_eq!(manifest.config.size, config.len() as u64);
        let (many, _) = image(vec![good; SIGNATURES_MAX + 1]);
        assert_eq!(entries(&many).len(), SIGNATURES_MAX);
    }

    #[test]
    fn the_tag_is_cosigns() {
        let digest = Digest::of(b"");
        let expected =
            "sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.sig";
        assert_eq!(tag(digest), expected);
    }
}
