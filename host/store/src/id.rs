//! Ids that the store mints: row numbers inside, opaque decimal texts outside.

/// Gives a newtype over `i64` its text form, which `parse` and serde read back.
macro_rules! opaque {
    ($type:ident) => {
        impl $type {
            /// Reads what `Display` wrote; `None` for anything else.
            pub fn parse(text: &str) -> Option<Self> {
                let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
                if plain { text.parse().ok().map(Self) } else { None }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

pub(crate) use opaque;
