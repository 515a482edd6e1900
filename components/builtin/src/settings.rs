//! The agent's `settings` for this harness. Unknown keys are errors: a setting that is silently
//! ignored looks like one that works.

use serde_json::Value;

use crate::xpressclaw::llm::types::Effort;

const EFFORTS: [(&str, Effort); 7] = [
    ("none", Effort::None),
    ("minimal", Effort::Minimal),
    ("low", Effort::Low),
    ("medium", Effort::Medium),
    ("high", Effort::High),
    ("xhigh", Effort::Xhigh),
    ("max", Effort::Max),
];

/// What the configuration may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settings {
    /// How much the model thinks; `None`: as the provider has it.
    pub effort: Option<Effort>,
}

impl Settings {
    /// The error says which setting is wrong and how to write it.
    pub fn read(text: &str) -> Result<Self, String> {
        let object = match serde_json::from_str(if text.is_empty() { "{}" } else { text }) {
            Ok(Value::Object(object)) => object,
            Ok(_) => return Err("settings must be a JSON object".to_owned()),
            Err(error) => return Err(format!("settings must be a JSON object: {error}")),
        };
        let mut settings = Self::default();
        for (key, value) in object {
            match key.as_str() {
                "effort" => {
                    let named = EFFORTS.iter().find(|(name, _)| value.as_str() == Some(name));
                    let (_, effort) = named.ok_or_else(|| {
                        let names = EFFORTS.map(|(name, _)| name).join(", ");
                        format!("setting effort must be one of {names}")
                    })?;
                    settings.effort = Some(*effort);
                }
                _ => {
                    return Err(format!("unknown setting {key} for builtin: there is only effort"));
                }
            }
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<Option<Effort>, &str>) {
        let read = Settings::read(text).map(|settings| settings.effort);
        assert_eq!(read, expected.map_err(str::to_owned), "{text}");
    }

    #[test]
    fn settings_are_read_or_refused_by_name() {
        check("", Ok(None));
        check("{}", Ok(None));
        check(r#"{"effort": "high"}"#, Ok(Some(Effort::High)));
        let one_of = "setting effort must be one of none, minimal, low, medium, high, xhigh, max";
        check(r#"{"effort": "much"}"#, Err(one_of));
        check(r#"{"effort": 3}"#, Err(one_of));
        check(r#"{"steps": 3}"#, Err("unknown setting steps for builtin: there is only effort"));
        check("[]", Err("settings must be a JSON object"));
    }
}
