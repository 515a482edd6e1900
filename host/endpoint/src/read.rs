//! Reading a request's JSON: each mistake names its place.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::content::Blob;
use serde_json::{Map, Value};

use crate::error::Refusal;

/// A value and where it stands, for messages.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub value: &'a Value,
    place: &'a dyn Place,
}

/// Where something stands; written out only for a message.
trait Place {
    fn write(&self) -> String;
}

struct Root;

impl Place for Root {
    fn write(&self) -> String {
        String::new()
    }
}

pub(crate) fn wrong(place: &str, what: &str) -> Refusal {
    match place.is_empty() {
        true => Refusal::Invalid(format!("the request {what}")),
        false => Refusal::Invalid(format!("`{place}` {what}")),
    }
}

impl<'a> At<'a> {
    pub fn root(value: &'a Value) -> Self {
        Self { value, place: &Root }
    }

    pub fn wrong(self, what: &str) -> Refusal {
        wrong(&self.place.write(), what)
    }

    pub fn object(self) -> Result<&'a Map<String, Value>, Refusal> {
        self.value.as_object().ok_or_else(|| self.wrong("must be an object"))
    }

    pub fn text(self) -> Result<&'a str, Refusal> {
        self.value.as_str().ok_or_else(|| self.wrong("must be a string"))
    }

    pub fn flag(self) -> Result<bool, Refusal> {
        self.value.as_bool().ok_or_else(|| self.wrong("must be true or false"))
    }

    pub fn number(self) -> Result<f64, Refusal> {
        self.value.as_f64().ok_or_else(|| self.wrong("must be a number"))
    }

    /// A count of tokens.
    pub fn count(self) -> Result<u32, Refusal> {
        let number = self.value.as_u64().and_then(|number| u32::try_from(number).ok());
        number.ok_or_else(|| self.wrong("must be a whole number from 0 to 4294967295"))
    }

    /// A field that is there and not `null`.
    pub fn get<T>(
        self,
        name: &'static str,
        read: impl FnOnce(At<'_>) -> Result<T, Refusal>,
    ) -> Result<Option<T>, Refusal> {
        match self.value.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(At { value, place: &Field(self.place, name) }).map(Some),
        }
    }

    /// A field that must be there.
    pub fn need<T>(
        self,
        name: &'static str,
        read: impl FnOnce(At<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let found = self.get(name, read)?;
        found.ok_or_else(|| wrong(&Field(self.place, name).write(), "is missing"))
    }

    pub fn need_text(self, name: &'static str) -> Result<String, Refusal> {
        self.need(name, |at| Ok(at.text()?.to_owned()))
    }

    /// All items of a list.
    pub fn each<T>(
        self,
        mut read: impl FnMut(At<'_>) -> Result<T, Refusal>,
    ) -> Result<Vec<T>, Refusal> {
        let items = self.value.as_array().ok_or_else(|| self.wrong("must be a list"))?;
        let at = |(index, value)| read(At { value, place: &Item(self.place, index) });
        items.iter().enumerate().map(at).collect()
    }
}

struct Field<'a>(&'a dyn Place, &'static str);

impl Place for Field<'_> {
    fn write(&self) -> String {
        let before = self.0.write();
        if before.is_empty() { self.1.to_owned() } else { format!("{before}.{}", self.1) }
    }
}

struct Item<'a>(&'a dyn Place, usize);

impl Place for Item<'_> {
    fn write(&self) -> String {
        format!("{}[{}]", self.0.write(), self.1)
    }
}

/// Base64 with its media type.
pub(crate) fn blob(at: At<'_>, mime: &str) -> Result<Blob, Refusal> {
    let data = STANDARD.decode(at.text()?).map_err(|_| at.wrong("must be base64"))?;
    Ok(Blob { mime: mime.to_owned(), data })
}

/// A `data:` URL; nothing is fetched for a client.
pub(crate) fn data_url(at: At<'_>) -> Result<Blob, Refusal> {
    let refused = || {
        at.wrong(
            "must be a URL like `data:image/png;base64,…`: the endpoint fetches nothing, so send the bytes",
        )
    };
    let rest = at.text()?.strip_prefix("data:").ok_or_else(refused)?;
    let (mime, data) = rest.split_once(";base64,").ok_or_else(refused)?;
    let data = STANDARD.decode(data).map_err(|_| refused())?;
    Ok(Blob { mime: mime.to_owned(), data })
}
