//! Multimodal content: `xpressclaw:base/content` on the host's side.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes with their media type. In JSON the data is base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    pub mime: String,
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    pub data: Vec<u8>,
}

impl Blob {
    pub fn base64(&self) -> String {
        STANDARD.encode(&self.data)
    }
}

/// A reference to something that is not inlined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub uri: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Text(String),
    Blob(Blob),
    Link(Link),
}

impl Part {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Bytes that the part holds in memory.
    pub fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Blob(blob) => blob.mime.len() + blob.data.len(),
            Self::Link(link) => {
                let optional = |o: &Option<String>| o.as_ref().map_or(0, String::len);
                link.uri.len() + optional(&link.mime) + optional(&link.title)
            }
        }
    }
}

/// The text of a list of parts; anything else is named in brackets, never dropped silently.
pub fn plain_text(parts: &[Part]) -> String {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(t) => text.push_str(t),
            Part::Blob(blob) => {
                text.push_str(&format!("[{}, {} bytes]", blob.mime, blob.data.len()));
            }
            Part::Link(link) => text.push_str(&format!("[{}]", link.uri)),
        }
    }
    text
}

fn to_base64<S: Serializer>(data: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(data))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD.decode(text).map_err(serde::de::Error::custom)
}
