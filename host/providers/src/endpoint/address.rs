//! Where an endpoint's calls go.

use url::Url;

use super::settings::{ConfigError, MODEL_PLACEHOLDER, Settings};

/// What URLs make of the placeholder.
const ENCODED_PLACEHOLDER: &str = "%7Bmodel%7D";

/// A checked base URL with the protocol's path and the configured query.
#[derive(Debug)]
pub(super) struct Address {
    url: Url,
    host: String,
}

impl Address {
    pub fn new(settings: &Settings<'_>) -> Result<Self, ConfigError> {
        let base_url = settings.base_url;
        if base_url.contains('@') {
            return Err(ConfigError::Credentials { key_setting: settings.key_setting.to_owned() });
        }
        let error = |reason: &str| ConfigError::BaseUrl {
            url: base_url.to_owned(),
            reason: reason.to_owned(),
        };
        let mut url = Url::parse(base_url.trim()).map_err(|source| error(&source.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(error("it must begin with `http://` or `https://`"));
        }
        let host = url.host_str().unwrap_or_default();
        let outside = [host, url.query().unwrap_or_default()].concat();
        if outside.contains('{') || base_url.replace(MODEL_PLACEHOLDER, "").contains(['{', '}']) {
            return Err(error("`{model}` in the path is all that can stand in braces"));
        }
        let base = url.path().trim_end_matches('/');
        let path = settings.path;
        url.set_path(&format!("{}{path}", base.strip_suffix(path).unwrap_or(base)));
        url.set_fragment(None);
        if !settings.query.is_empty() {
            url.query_pairs_mut().extend_pairs(settings.query);
        }
        Ok(Self { host: url.host_str().unwrap_or_default().to_owned(), url })
    }

    /// The URL of a model.
    pub fn of(&self, model: &str) -> Url {
        let mut url = self.url.clone();
        if url.path().contains(ENCODED_PLACEHOLDER) {
            let path = url.path().replace(ENCODED_PLACEHOLDER, &segment(model));
            url.set_path(&path);
        }
        url
    }

    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Host and port: all of it that a message tells.
    pub fn shown(&self) -> String {
        match self.url.port_or_known_default() {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }
}

/// A name as one segment of a path, whatever characters it has.
fn segment(name: &str) -> String {
    let is_climbing = name.bytes().all(|b| b == b'.');
    let mut encoded = String::new();
    for byte in name.bytes() {
        match byte {
            // A name of dots alone would climb the path, also when they are encoded.
            b'.' if is_climbing => encoded.push('_'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' | b'.' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::{KeyHeader, Timeouts};

    fn address(base_url: &str, query: &[(&str, &str)]) -> Result<Address, ConfigError> {
        let query: Vec<(String, String)> =
            query.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Address::new(&Settings {
            name: "p",
            base_url,
            base_url_hint: "",
            path: "/chat/completions",
            query: &query,
            key: None,
            key_header: KeyHeader::Bearer,
            key_setting: "k",
            fixed_headers: &[],
            headers: &[],
            proxy: None,
            timeouts: Timeouts::default(),
        })
    }

    #[test]
    fn urls_of_models() {
        for (base_url, query, model, expected) in [
            ("https://h/v1", &[][..], "m", "https://h/v1/chat/completions"),
            ("https://h/v1/chat/completions/", &[], "m", "https://h/v1/chat/completions"),
            ("https://h/?x=1#y", &[("b c", "&")], "m", "https://h/chat/completions?x=1&b+c=%26"),
            (
                "https://me.openai.azure.com/openai/deployments/{model}",
                &[("api-version", "2024-10-21")],
                "gpt-5-mini",
                "https://me.openai.azure.com/openai/deployments/gpt-5-mini/chat/completions?api-version=2024-10-21",
            ),
            (
                "http://h/{model}",
                &[],
                "a/b c?#ü",
                "http://h/a%2Fb%20c%3F%23%C3%BC/chat/completions",
            ),
            ("http://h/{model}", &[], "v1.5", "http://h/v1.5/chat/completions"),
        ] {
            let url = address(base_url, query).unwrap().of(model);
            assert_eq!(url.as_str(), expected, "{base_url}");
        }
        // No name leaves its segment.
        for climbing in [".", "..", "../..", "%2e%2e"] {
            let url = address("http://h/a/{model}", &[]).unwrap().of(climbing);
            assert!(url.path().starts_with("/a/"), "{climbing}: {url}");
            assert_eq!(url.path_segments().unwrap().count(), 4, "{climbing}: {url}");
        }
    }

    #[test]
    fn braces_are_for_the_model_in_the_path() {
        for bad in ["http://h/{deployment}", "http://h/{model", "http://h/v1?m={model}"] {
            let error = address(bad, &[]).unwrap_err().to_string();
            assert!(error.contains("`{model}` in the path"), "{error}");
        }
        assert!(address("http://{model}/", &[]).is_err());
    }
}
