//! Parts of content that the protocols carry as text, so that nothing is dropped without a word.

use domain::content::{Blob, Link};

/// The text of a text file, the name of anything else.
pub(crate) fn blob_text(blob: &Blob) -> String {
    match std::str::from_utf8(&blob.data) {
        Ok(text)
            if !text.trim().is_empty()
                && (blob.mime.starts_with("text/") || blob.mime == "application/json") =>
        {
            text.to_owned()
        }
        _ => format!("[{}, {} bytes, not shown]", blob.mime, blob.data.len()),
    }
}

/// A link stays text: were it fetched by the provider, a guest could reach the network through it.
pub(crate) fn link_text(link: &Link) -> String {
    match &link.title {
        Some(title) => format!("[{title}]({})", link.uri),
        None => link.uri.clone(),
    }
}
