//! A result of the protocol as parts of the contract.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::content::{Blob, Link, Part};
use domain::limits::{PART_MAX_BYTES, PARTS_MAX_BYTES};
use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};

use crate::error::CallError;

/// What a tool answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    pub parts: Vec<Part>,
    /// The tool ran and reports failure.
    pub failed: bool,
}

/// What a file of unknown kind is.
const ANY: &str = "application/octet-stream";

pub(crate) fn output(result: CallToolResult) -> Result<Output, CallError> {
    let mut parts = result.content.into_iter().map(part).collect::<Result<Vec<_>, _>>()?;
    if let (true, Some(value)) = (parts.is_empty(), result.structured_content) {
        parts.push(Part::text(value.to_string()));
    }
    let large = |what, limit| CallError::TooLarge { what, limit };
    let mut total = 0usize;
    for part in &parts {
        if part.size() > PART_MAX_BYTES {
            return Err(large("a part", PART_MAX_BYTES));
        }
        total = total.saturating_add(part.size());
    }
    if total > PARTS_MAX_BYTES {
        return Err(large("all parts together", PARTS_MAX_BYTES));
    }
    Ok(Output { parts, failed: result.is_error.unwrap_or(false) })
}

fn part(block: ContentBlock) -> Result<Part, CallError> {
    Ok(match block {
        ContentBlock::Text(text) => Part::text(text.text),
        ContentBlock::Image(image) => blob("an image", image.mime_type, &image.data)?,
        ContentBlock::Audio(audio) => blob("a sound", audio.mime_type, &audio.data)?,
        ContentBlock::Resource(embedded) => match embedded.resource {
            ResourceContents::TextResourceContents { text, .. } => Part::text(text),
            ResourceContents::BlobResourceContents { mime_type, blob: data, .. } => {
                blob("a resource", mime_type.unwrap_or_else(|| ANY.into()), &data)?
            }
            _ => return Err(CallError::Unexpected),
        },
        ContentBlock::ResourceLink(link) => Part::Link(Link {
            title: link.title.or(Some(link.name)),
            mime: link.mime_type,
            uri: link.uri,
        }),
        _ => return Err(CallError::Unexpected),
    })
}

fn blob(what: &'static str, mime: String, data: &str) -> Result<Part, CallError> {
    let data = STANDARD.decode(data).map_err(|_| CallError::NotBase64(what))?;
    Ok(Part::Blob(Blob { mime, data }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(result: Value) -> Result<Output, CallError> {
        output(serde_json::from_value(result).unwrap())
    }

    #[test]
    fn every_kind_of_content() {
        let read = read(json!({"content": [
            {"type": "text", "text": "hello"},
            {"type": "image", "data": "AQI=", "mimeType": "image/png"},
            {"type": "audio", "data": "AQI=", "mimeType": "audio/wav"},
            {"type": "resource", "resource": {"uri": "x:1", "text": "inside"}},
            {"type": "resource", "resource": {"uri": "x:2", "blob": "AQI="}},
            {"type": "resource_link", "uri": "x:3", "name": "third", "mimeType": "text/plain"},
        ]}));
        let blob = |mime: &str| Part::Blob(Blob { mime: mime.into(), data: vec![1, 2] });
        let link = Link {
            uri: "x:3".into(),
            mime: Some("text/plain".into()),
            title: Some("third".into()),
        };
        let read = read.unwrap();
        assert!(!read.failed);
        assert_eq!(
            read.parts,
            [
                Part::text("hello"),
                blob("image/png"),
                blob("audio/wav"),
                Part::text("inside"),
                blob(ANY),
                Part::Link(link),
            ]
        );
    }

    #[test]
    fn structured_content_counts_when_there_is_no_other() {
        let both =
            json!({"content": [{"type": "text", "text": "t"}], "structuredContent": {"a": 1}});
        assert_eq!(read(both).unwrap().parts, [Part::text("t")]);
        let alone = json!({"content": [], "structuredContent": {"a": 1}, "isError": true});
        let alone = read(alone).unwrap();
        assert_eq!(alone.parts, [Part::text(r#"{"a":1}"#)]);
        assert!(alone.failed);
    }

    #[test]
    fn what_is_too_large_or_broken_is_refused() {
        let text = |len: usize| json!({"type": "text", "text": "x".repeat(len)});
        let fits = vec![text(PART_MAX_BYTES); PARTS_MAX_BYTES / PART_MAX_BYTES];
        assert!(read(json!({"content": fits})).is_ok());
        let mut over = fits.clone();
        over.push(text(1));
        for content in [json!([text(PART_MAX_BYTES + 1)]), json!(over)] {
            assert!(matches!(read(json!({"content": content})), Err(CallError::TooLarge { .. })));
        }
        let broken = json!({"content": [{"type": "image", "data": "%", "mimeType": "image/png"}]});
        assert!(matches!(read(broken), Err(CallError::NotBase64(_))));
    }
}
