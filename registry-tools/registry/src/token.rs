//! What a registry wants to see before it answers, and the token service it may send us to.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use serde::Deserialize;
use url::Url;

use crate::client::Client;
use crate::credential::Credential;
use crate::error::RegistryError;
use crate::options::is_loopback;
use crate::request::{body, shown};

/// Tokens have some kilobytes.
const TOKEN_MAX_BYTES: u64 = 64 << 10;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    Basic,
    Bearer { realm: String, service: Option<String> },
}

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
}

impl Challenge {
    /// The challenge of a 401.
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        headers.get_all(WWW_AUTHENTICATE).iter().find_map(|value| {
            let (scheme, rest) = value.to_str().ok()?.trim().split_once(' ')?;
            if scheme.eq_ignore_ascii_case("basic") {
                return Some(Self::Basic);
            }
            if !scheme.eq_ignore_ascii_case("bearer") {
                return None;
            }
            Some(Self::Bearer {
                realm: parameter(rest, "realm")?,
                service: parameter(rest, "service"),
            })
        })
    }
}

/// A quoted parameter. No value that is looked for here holds a quotation mark.
fn parameter(text: &str, name: &str) -> Option<String> {
    text.match_indices(name).find_map(|(at, _)| {
        let starts = at == 0 || matches!(text.as_bytes()[at - 1], b' ' | b',');
        let rest = text[at + name.len()..].strip_prefix("=\"")?;
        (starts && rest.contains('"'))
            .then(|| rest.split('"').next().unwrap_or_default().to_owned())
    })
}

pub(crate) fn basic(credential: &Credential) -> Option<HeaderValue> {
    let pair = format!("{}:{}", credential.user, credential.secret.expose());
    secret_header(&format!("Basic {}", STANDARD.encode(pair)))
}

fn secret_header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl Client {
    /// Exchanges a credential, or none, for a token, as GitHub's registry does it.
    pub(crate) async fn exchange(
        &self,
        registry: &str,
        realm: &str,
        service: Option<&str>,
        scope: &str,
        credential: Option<&Credential>,
    ) -> Result<HeaderValue, RegistryError> {
        let refused = || RegistryError::Realm { registry: registry.into(), realm: clean(realm) };
        let mut url = Url::parse(realm).map_err(|_| refused())?;
        let plain = url.scheme() == "http" && self.options.is_plain(registry);
        let here = is_loopback(&url) || url.host_str() == registry.split(':').next();
        if url.scheme() != "https" && !(plain && here) {
            return Err(refused());
        }
        if let Some(service) = service {
            url.query_pairs_mut().append_pair("service", service);
        }
        url.query_pairs_mut().append_pair("scope", scope);
        let address = shown(&url);
        let mut attempt = 1;
        let response = loop {
            let mut request = self.http()?.get(url.clone());
            if let Some(value) = credential.and_then(basic) {
                request = request.header(AUTHORIZATION, value);
            }
            self.count();
            let sent = request.send().await;
            let Some(trouble) = self.passing(&url, &sent) else {
                break sent.map_err(|_| RegistryError::Token { address: address.clone() })?;
            };
            self.rest(&mut attempt, trouble, registry).await?;
        };
        match response.status().as_u16() {
            200 => {}
            401 => return Err(RegistryError::SignIn { address, registry: registry.into() }),
            403 => return Err(RegistryError::Forbidden { address, registry: registry.into() }),
            status => return Err(RegistryError::Status { address, status }),
        }
        let bytes = body(response, &address, TOKEN_MAX_BYTES).await?;
        let answer: Option<Answer> = serde_json::from_slice(&bytes).ok();
        answer
            .and_then(|answer| answer.token.or(answer.access_token))
            .and_then(|token| secret_header(&format!("Bearer {token}")))
            .ok_or(RegistryError::Token { address })
    }
}

fn clean(text: &str) -> String {
    text.split('?')
        .next()
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_control())
        .take(100)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        for (text, expected) in [
            ("Basic realm=\"x\"", Some(Challenge::Basic)),
            (
                "Bearer realm=\"https://ghcr.io/token\",service=\"ghcr.io\",scope=\"a:b:pull\"",
                Some(Challenge::Bearer {
                    realm: "https://ghcr.io/token".into(),
                    service: Some("ghcr.io".into()),
                }),
            ),
            (
                "bearer service=\"s\", realm=\"r\"",
                Some(Challenge::Bearer { realm: "r".into(), service: Some("s".into()) }),
            ),
            ("Bearer xrealm=\"r\"", None),
            ("Bearer realm=\"r", None),
            ("Negotiate abc", None),
            ("Basic", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(WWW_AUTHENTICATE, text.parse().unwrap());
            assert_eq!(Challenge::read(&headers), expected, "{text}");
        }
    }
}
