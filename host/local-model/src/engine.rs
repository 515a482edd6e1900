//! The loaded model: turns a call into tokens, grammars and a sampler.
//!
//! Lives on the worker's thread. `prepare` does everything that can be refused, before the caller
//! has a stream; `schedule` does the rest.

use domain::SessionId;
use domain::chat::{AssistantPart, Effort, Message, Request};
use domain::content::Part;
use domain::provider::{Call, ProviderError};
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;

use crate::course::Course;
use crate::grammar::Grammars;
use crate::guard::ControlTexts;
use crate::messages::Prompt;
use crate::pieces::Start;
use crate::sampler::Sampler;
use crate::template::{Inputs, Thinking};
use crate::wire::THINK_OPEN;
use crate::worker::Setup;

/// A prompt must leave room for this many output tokens, or for the call's own limit when that is
/// lower: an answer cut after a few words is worth less than a clear error.
const OUTPUT_MIN: u32 = 16;
/// A request with more bytes than this for each token of the window is refused unread: a token is
/// about 4 bytes long, and one call with the largest request that the door lets in would occupy
/// the thread for a minute before its length is known.
const TOKEN_MAX_BYTES: usize = 64;

pub(crate) struct Engine<'m> {
    setup: &'m Setup,
    model: &'m LlamaModel,
    /// Built at the first call that needs it: walking a vocabulary takes a tenth of a second.
    grammars: Option<Grammars>,
    guard: ControlTexts,
    bos: String,
    eos: String,
}

/// A call that was accepted.
pub(crate) struct Prepared {
    pub session: SessionId,
    pub stops: Vec<String>,
    pub prompt: Vec<LlamaToken>,
    /// Tokens, within the window.
    pub max_output: usize,
    pub start: Start,
    pub sampler: Sampler,
    pub course: Course,
}

impl<'m> Engine<'m> {
    pub(crate) fn new(setup: &'m Setup, model: &'m LlamaModel) -> Self {
        let vocab = model.vocab();
        let text = |token: LlamaToken| {
            if token.0 < 0 {
                return String::new();
            }
            String::from_utf8_lossy(&vocab.token_to_piece(token, true, None)).into_owned()
        };
        let control = vocab.tokens().filter(|t| vocab.is_control(*t) || vocab.is_eog(*t));
        Self {
            setup,
            model,
            grammars: None,
            guard: ControlTexts::new(control.map(text)),
            bos: text(vocab.bos()),
            eos: text(vocab.eos()),
        }
    }

    /// Checks a call and renders its prompt.
    pub(crate) fn prepare(&mut self, call: Call) -> Result<Prepared, ProviderError> {
        let request = &call.request;
        let window = self.setup.window;
        if bytes(request) / TOKEN_MAX_BYTES > usize::try_from(window).unwrap_or(usize::MAX) {
            return Err(ProviderError::ContextExceeded { window });
        }
        let sampler = Sampler::new(request, self.setup.options.seed)?;
        let (model, grammars) = (self.model, &mut self.grammars);
        let course = Course::new(request, || match grammars {
            Some(grammars) => Ok(&*grammars),
            none => Ok(&*none.insert(Grammars::new(model)?)),
        })?;
        let text = self.render(request)?;
        let start = if self.setup.template.thinks && text.trim_end().ends_with(THINK_OPEN) {
            Start::Thinking
        } else {
            Start::Answer
        };
        let vocab = self.model.vocab();
        let has_bos = !self.bos.is_empty() && text.starts_with(&self.bos);
        let prompt = vocab.tokenize(text.as_bytes(), vocab.should_add_bos() && !has_bos, true);
        let length = u32::try_from(prompt.len()).unwrap_or(u32::MAX);
        if length.saturating_add(call.max_output_tokens.min(OUTPUT_MIN)) > window {
            return Err(ProviderError::ContextExceeded { window });
        }
        let max_output = call.max_output_tokens.min(window - length);
        let max_output = usize::try_from(max_output).unwrap_or(usize::MAX);
        let Call { request, session, .. } = call;
        Ok(Prepared { session, stops: request.stop, prompt, max_output, start, sampler, course })
    }

    fn render(&self, request: &Request) -> Result<String, ProviderError> {
        let template = &self.setup.template;
        let prompt = Prompt::build(request, template.tools, &self.guard)?;
        let render = |prompt: &Prompt| {
            template.render(&Inputs {
                messages: &prompt.messages,
                tools: &prompt.tools,
                thinking: thinking(request.effort),
                bos: &self.bos,
                eos: &self.eos,
            })
        };
        let rendered = match render(&prompt) {
            Ok(text) => Ok(text),
            Err(error) => match prompt.without_system() {
                Some(merged) => render(&merged),
                None => Err(error),
            },
        };
        rendered.map_err(|error| {
            ProviderError::InvalidRequest(format!(
                "the model's chat template refuses the conversation: {error}"
            ))
        })
    }
}

/// Bytes of text in the system text and the messages.
fn bytes(request: &Request) -> usize {
    let parts = |parts: &[Part]| -> usize {
        parts.iter().map(|part| if let Part::Text(text) = part { text.len() } else { 0 }).sum()
    };
    let messages = request.messages.iter().map(|message| match message {
        Message::User(content) => parts(content),
        Message::Tool(result) => parts(&result.content),
        Message::Assistant(content) => content
            .iter()
            .map(|part| match part {
                AssistantPart::Text(text) => text.len(),
                AssistantPart::Thinking(thinking) => thinking.text.len(),
                AssistantPart::ToolCall(call) => call.arguments.len(),
            })
            .sum(),
    });
    request.system.as_ref().map_or(0, String::len) + messages.sum::<usize>()
}

fn thinking(effort: Option<Effort>) -> Thinking {
    match effort {
        Some(Effort::None | Effort::Minimal) => Thinking::Off,
        _ => Thinking::On,
    }
}
