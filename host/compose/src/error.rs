//! Why parts do not become one component.

use wac_graph::{EncodeError, InstantiationArgumentError};

/// Every text names the part, and the interface where there is one.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    #[error("{count} middleware are configured; at most {} are allowed", crate::MIDDLEWARE_MAX)]
    TooMany { count: usize },
    #[error("`{part}` is no component that can be joined with others: {reason}")]
    Malformed { part: String, reason: String },
    #[error(
        "`{middleware}` is no middleware: it exports neither `xpressclaw:llm/chat` nor `xpressclaw:tools/tools`; build it for the world `llm-middleware` or `tools-middleware`"
    )]
    NoMiddleware { middleware: String },
    #[error(
        "the middleware `{middleware}` imports `{interface}`, which its world does not have; build it for the world `llm-middleware` or `tools-middleware`"
    )]
    Overreach { middleware: String, interface: String },
    #[error(
        "`{part}` does not import `{interface}`, so the middleware `{middleware}` would see nothing; take it out of the list"
    )]
    PassedBy { part: String, interface: &'static str, middleware: String },
    #[error(
        "`{part}` imports `{wanted}`, the middleware `{middleware}` exports `{offered}`; build both against one version of the contract"
    )]
    Version { part: String, wanted: String, middleware: String, offered: String },
    #[error("`{part}` and the middleware `{middleware}` disagree about `{interface}`")]
    Mismatch {
        part: String,
        interface: String,
        middleware: String,
        #[source]
        source: Box<InstantiationArgumentError>,
    },
    #[error("`{interface}` of `{part}` was not joined with its middleware")]
    Unjoined { part: String, interface: String },
    #[error(
        "the parts do not fit together; build them against one version of the contract (`xpressclaw:base`, `xpressclaw:llm`, `xpressclaw:tools`)"
    )]
    Encode(#[source] Box<EncodeError>),
}
