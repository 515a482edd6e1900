//! The arguments of a call: JSON as a model wrote it, so everything about it is checked.

use serde_json::{Map, Value};

use super::Failure;

/// A JSON object.
#[derive(Debug, Default)]
pub struct Args(Map<String, Value>);

impl Args {
    /// A call without arguments may have no text at all.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        match serde_json::from_str(text) {
            Ok(Value::Object(object)) => Ok(Self(object)),
            Ok(_) => Err("the arguments must be a JSON object".into()),
            Err(error) => Err(format!("the arguments are no valid JSON: {error}").into()),
        }
    }

    /// A text that must be there.
    pub fn text(&self, name: &str) -> Result<&str, Failure> {
        self.maybe_text(name)?.ok_or_else(|| format!("the argument {name} is missing").into())
    }

    pub fn maybe_text(&self, name: &str) -> Result<Option<&str>, Failure> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(format!("the argument {name} must be a text").into()),
        }
    }

    /// A whole number of at least 1, at most `most`.
    pub fn count(&self, name: &str, default: usize, most: usize) -> Result<usize, Failure> {
        let Some(value) = self.get(name) else { return Ok(default) };
        // Some models write 5.0 where they mean 5.
        let number = value.as_u64().or_else(|| {
            let number = value.as_f64().filter(|n| n.fract() == 0.0 && (1.0..1e15).contains(n))?;
            format!("{number:.0}").parse().ok()
        });
        match number.and_then(|number| usize::try_from(number).ok()) {
            Some(number) if number > 0 => Ok(number.min(most)),
            _ => Err(format!("the argument {name} must be a whole number from 1").into()),
        }
    }

    pub fn flag(&self, name: &str) -> Result<bool, Failure> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(format!("the argument {name} must be true or false").into()),
        }
    }

    /// A list of texts; none when it is not there.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, Failure> {
        let wrong = || Failure::from(format!("the argument {name} must be a list of texts"));
        self.list(name)?
            .iter()
            .map(|value| value.as_str().map(str::to_owned).ok_or_else(wrong))
            .collect()
    }

    pub fn list(&self, name: &str) -> Result<&[Value], Failure> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Value::Array(values)) => Ok(values),
            Some(_) => Err(format!("the argument {name} must be a list").into()),
        }
    }

    /// `null` is as good as nothing.
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure<T: std::fmt::Debug>(result: Result<T, Failure>) -> String {
        result.unwrap_err().text
    }

    #[test]
    fn what_a_model_writes_is_checked() {
        let args = Args::parse(r#"{"t":"x","n":5.0,"m":7,"f":true,"l":["a"],"z":null}"#).unwrap();
        assert_eq!(args.text("t"), Ok("x"));
        assert_eq!(args.maybe_text("z"), Ok(None));
        assert_eq!(args.count("n", 1, 100), Ok(5));
        assert_eq!(args.count("m", 1, 6), Ok(6));
        assert_eq!(args.count("absent", 3, 100), Ok(3));
        assert_eq!(args.flag("f"), Ok(true));
        assert_eq!(args.texts("l"), Ok(vec!["a".to_owned()]));
        assert_eq!(failure(args.text("absent")), "the argument absent is missing");
        assert_eq!(failure(args.text("n")), "the argument n must be a text");
        assert_eq!(failure(args.flag("t")), "the argument t must be true or false");
        for wrong in [r#"{"n":0}"#, r#"{"n":-1}"#, r#"{"n":1.5}"#, r#"{"n":"1"}"#, r#"{"n":1e300}"#]
        {
            let args = Args::parse(wrong).unwrap();
            assert!(failure(args.count("n", 1, 9)).contains("whole number"), "{wrong}");
        }
    }

    #[test]
    fn no_text_is_no_arguments_and_half_a_text_is_an_error() {
        assert!(Args::parse("").is_ok());
        assert_eq!(failure(Args::parse("[]")), "the arguments must be a JSON object");
        assert!(
            failure(Args::parse("{\"path\":")).starts_with("the arguments are no valid JSON: ")
        );
    }
}
