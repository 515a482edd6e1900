//! OpenAI's chat completions. Wire format: platform.openai.com/docs/api-reference/chat, and what its
//! compatible servers added to it (`reasoning_content`, `extra_content` of tool calls).

mod answer;
mod chunk;
mod request;
mod wire;

pub(crate) use answer::{model, models, whole};
pub(crate) use chunk::Chunks;
pub(crate) use request::parse;
