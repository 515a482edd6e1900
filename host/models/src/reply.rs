//! What the headers of an answer say about the file: which part follows, how long it is, which
//! version, which digest. Parsing only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, RETRY_AFTER};
use http::{HeaderMap, StatusCode};

use crate::digest::Digest;

/// The hub's name for a file's SHA-256, on the answer that redirects to the bytes.
const LINKED_ETAG: &str = "x-linked-etag";
const LINKED_SIZE: &str = "x-linked-size";
/// RFC 9530: the digest of the whole representation.
const REPR_DIGEST: &str = "repr-digest";

/// What the server that was named says about the file, before any redirect is followed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Claim {
    pub digest: Option<Digest>,
    pub size: Option<u64>,
}

impl Claim {
    pub fn read(headers: &HeaderMap) -> Self {
        let linked = || unquoted(text(headers, LINKED_ETAG)?).parse().ok();
        Self {
            digest: repr_digest(headers).or_else(linked),
            size: text(headers, LINKED_SIZE).and_then(|size| size.parse().ok()),
        }
    }
}

/// Which bytes an answer's body holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// From the first on; `None`: it does not say how many.
    Whole { total: Option<u64> },
    /// From `from` on, of so many.
    Rest { from: u64, total: Option<u64> },
    /// None: the file has just so many as are there, or fewer.
    Nothing { total: Option<u64> },
}

impl Body {
    /// `None`: another status, or a range that makes no sense.
    pub fn read(status: StatusCode, headers: &HeaderMap) -> Option<Self> {
        let range = text(headers, CONTENT_RANGE.as_str()).and_then(|r| r.strip_prefix("bytes "));
        match status {
            StatusCode::OK => {
                let length = text(headers, CONTENT_LENGTH.as_str());
                Some(Self::Whole { total: length.and_then(|length| length.parse().ok()) })
            }
            StatusCode::PARTIAL_CONTENT => {
                let (span, total) = range?.split_once('/')?;
                let (from, to) = span.split_once('-')?;
                let (from, to): (u64, u64) = (from.parse().ok()?, to.parse().ok()?);
                let total = total.parse().ok();
                // Only a range that runs to the end was asked for.
                let whole = total.is_none_or(|total: u64| to.checked_add(1) == Some(total));
                (from <= to && whole).then_some(Self::Rest { from, total })
            }
            StatusCode::RANGE_NOT_SATISFIABLE => {
                let total = range.and_then(|range| range.strip_prefix("*/")?.parse().ok());
                Some(Self::Nothing { total })
            }
            _ => None,
        }
    }
}

/// The version of the file, if it is one that byte ranges may be joined by.
pub(crate) fn strong_etag(headers: &HeaderMap) -> Option<String> {
    text(headers, ETAG.as_str()).filter(|etag| etag.starts_with('"')).map(str::to_owned)
}

/// Seconds that a busy server asks for.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<u64> {
    text(headers, RETRY_AFTER.as_str())?.parse().ok()
}

fn repr_digest(headers: &HeaderMap) -> Option<Digest> {
    text(headers, REPR_DIGEST)?.split(',').find_map(|item| {
        let encoded = item.trim().strip_prefix("sha-256=:")?.strip_suffix(':')?;
        Digest::from_slice(&STANDARD.decode(encoded).ok()?)
    })
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let parse = |(name, value): &(&str, &str)| {
            (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap())
        };
        pairs.iter().map(parse).collect()
    }

    #[test]
    fn a_claim_is_a_sha256_or_none() {
        let digest = Some(HEX.parse().unwrap());
        let claim = |pairs: &[(&str, &str)]| Claim::read(&headers(pairs));
        let hub = claim(&[("x-linked-etag", &format!("\"{HEX}\"")), ("x-linked-size", "12")]);
        assert_eq!(hub, Claim { digest, size: Some(12) });
        let standard = "sha-512=:AAAA:, sha-256=:LCa0a2j/xo/5m0U8HTBBNBNCLXBkg7+g+YpeiGJm564=:";
        assert_eq!(claim(&[("repr-digest", standard)]).digest, digest);
        // A small file on the hub has a git hash there; other servers have no such header.
        assert_eq!(
            claim(&[("x-linked-etag", "\"a94a8fe5ccb19ba61c4c0873d391e987982fbbd3\"")]).digest,
            None
        );
        assert_eq!(claim(&[("etag", &format!("\"{HEX}\""))]).digest, None);
        assert_eq!(claim(&[("repr-digest", "sha-256=:AAAA:")]).digest, None);
    }

    #[test]
    fn a_body_says_which_bytes_it_holds() {
        let read = |status: u16, pairs: &[(&str, &str)]| {
            Body::read(StatusCode::from_u16(status).unwrap(), &headers(pairs))
        };
        let whole = read(200, &[("content-length", "7")]);
        assert_eq!(whole, Some(Body::Whole { total: Some(7) }));
        assert_eq!(read(200, &[]), Some(Body::Whole { total: None }));
        let rest = read(206, &[("content-range", "bytes 5-9/10")]);
        assert_eq!(rest, Some(Body::Rest { from: 5, total: Some(10) }));
        assert_eq!(
            read(206, &[("content-range", "bytes 5-9/*")]),
            Some(Body::Rest { from: 5, total: None })
        );
        for odd in ["bytes 5-8/10", "bytes 9-5/10", "items 1-2/3", "bytes x-9/10", ""] {
            assert_eq!(read(206, &[("content-range", odd)]), None, "{odd}");
        }
        assert_eq!(read(206, &[]), None);
        let nothing = read(416, &[("content-range", "bytes */10")]);
        assert_eq!(nothing, Some(Body::Nothing { total: Some(10) }));
        assert_eq!(read(416, &[]), Some(Body::Nothing { total: None }));
        assert_eq!(read(404, &[]), None);
    }

    #[test]
    fn only_a_strong_version_joins_ranges() {
        assert_eq!(strong_etag(&headers(&[("etag", "\"a\"")])), Some("\"a\"".to_owned()));
        assert_eq!(strong_etag(&headers(&[("etag", "W/\"a\"")])), None);
        assert_eq!(strong_etag(&headers(&[])), None);
    }
}
