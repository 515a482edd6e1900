//! Chooses the next token from the model's predictions, within a grammar when there is one.

use domain::chat::Request;
use domain::provider::ProviderError;
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::token::data_array::LlamaTokenDataArray;
use llguidance::Matcher;
use std::hash::{BuildHasher, RandomState};

use crate::error::PROVIDER;
use crate::grammar::id_of;
use crate::options::Seed;

/// Used when a request names no temperature. Low, because harnesses ask for code, commands and
/// tool calls; not zero, because small models then repeat themselves without end.
pub const TEMPERATURE_DEFAULT: f32 = 0.3;
/// The highest temperature accepted, as in the field's APIs.
const TEMPERATURE_MAX: f64 = 2.0;
/// The usual cuts of the unlikely tail, so that a low-probability token never derails an answer.
const TOP_K: i32 = 40;
const TOP_P_DEFAULT: f32 = 0.95;
const MIN_P: f32 = 0.05;
/// A chain of samplers for one answer.
pub(crate) struct Sampler(LlamaSampler);

impl Sampler {
    /// `temperature`, and `seed` and `top_p` in the request's extra fields, override the defaults.
    pub(crate) fn new(request: &Request, seed: Seed) -> Result<Self, ProviderError> {
        let temperature = match request.temperature {
            None => TEMPERATURE_DEFAULT,
            Some(t) if (0.0..=TEMPERATURE_MAX).contains(&t) => t as f32,
            Some(t) => {
                return Err(ProviderError::InvalidRequest(format!(
                    "temperature {t} is not between 0 and {TEMPERATURE_MAX}"
                )));
            }
        };
        if temperature == 0.0 {
            return Ok(Self(LlamaSampler::greedy()));
        }
        let top_p = match request.extra.get("top_p").and_then(|v| v.as_f64()) {
            Some(p) if p > 0.0 && p <= 1.0 => p as f32,
            _ => TOP_P_DEFAULT,
        };
        let wanted = request.extra.get("seed").and_then(|v| v.as_u64());
        let seed = match (wanted.and_then(|s| u32::try_from(s).ok()), seed) {
            (Some(seed), _) | (None, Seed::Fixed(seed)) => seed,
            (None, Seed::Fresh) => RandomState::new().hash_one(0) as u32,
        };
        let chain = [
            LlamaSampler::top_k(TOP_K),
            LlamaSampler::top_p(top_p, 1),
            LlamaSampler::min_p(MIN_P, 1),
            LlamaSampler::temp(temperature),
            LlamaSampler::dist(seed),
        ];
        Ok(Self(LlamaSampler::chain(chain, true)))
    }

    /// Any token. `index`: which token of the last batch the prediction follows.
    pub(crate) fn free(&mut self, context: &LlamaContext<'_>, index: i32) -> LlamaToken {
        self.0.sample(context, index)
    }

    /// A token that the grammar allows; it is consumed by the grammar too. `index` as above.
    pub(crate) fn within(
        &mut self,
        context: &LlamaContext<'_>,
        index: i32,
        grammar: &mut Matcher,
    ) -> Result<LlamaToken, ProviderError> {
        let broken = |e: String| ProviderError::Other(format!("{PROVIDER}: grammar: {e}"));
        let mask = grammar.compute_mask_or_eos().map_err(|e| broken(e.to_string()))?;
        let allowed = context.candidates_ith(index).filter(|c| mask.is_allowed(id_of(c.id())));
        let mut candidates = LlamaTokenDataArray::from_iter(allowed, false);
        candidates.apply_sampler(&mut self.0);
        let token = candidates
            .selected_token()
            .ok_or_else(|| broken("no token of the vocabulary continues the answer".to_owned()))?;
        self.0.accept(token);
        grammar.consume_token(id_of(token)).map_err(|e| broken(e.to_string()))?;
        Ok(token)
    }
}
