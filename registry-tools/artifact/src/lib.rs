//! What a harness looks like in a registry: how it is referred to, what its manifest says, what is
//! read from the component itself. The cache and the client build on it.
//!
//! It must never read a file, ask a network, or believe a size or a name that it was given.

mod attachment;
mod chunked;
mod component;
mod digest;
mod manifest;
mod reference;

pub use attachment::{Attachment, INDEX_MEDIA_TYPE, Index, attach};
pub use chunked::{CHUNK_MAX_BYTES, CHUNK_MEDIA_TYPE, CHUNKS_MAX, Chunks, PackedChunks};
pub use component::{Described, HARNESS_SECTION, describe};
pub use digest::{Digest, DigestError, Hasher};
pub use manifest::{
    ANNOTATION_TITLE, COMPONENT_MAX_BYTES, CONFIG_MAX_BYTES, Descriptor, LAYERS_MAX,
    MANIFEST_MAX_BYTES, MANIFEST_MEDIA_TYPE, Manifest, ManifestError, Packed,
    WASM_CONFIG_MEDIA_TYPE, WASM_MEDIA_TYPE, pack,
};
pub use reference::{Reference, ReferenceError, Repository};
