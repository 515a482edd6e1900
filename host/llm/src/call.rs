//! Calling a provider, with retries: only before the first delta, because what came after it may
//! have been billed and shown.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use domain::Event;
use domain::chat::Delta;
use domain::provider::{Call, Deltas, ProviderError};
use futures::StreamExt;

use crate::count::Count;
use crate::drive::Run;
use crate::reserve::OUTPUT_MIN_TOKENS;
use crate::route::Route;

/// Retries of a call that failed before its first delta: passing faults pass within seconds.
const RETRIES_MAX: usize = 3;
const RETRY_FIRST: Duration = Duration::from_millis(500);
/// A provider that asks for a longer pause than this is reported as rate limited instead.
const RETRY_LONGEST: Duration = Duration::from_secs(20);

/// A call that has begun to answer.
pub(crate) struct Answer {
    pub first: Option<Delta>,
    pub rest: Deltas,
}

/// Starts the call and waits for its first delta.
pub(crate) async fn call(run: &mut Run, count: &mut Count) -> Result<Answer, ProviderError> {
    let Run { route, call, refit, reservation, step, observer, .. } = run;
    let step = *step;
    let mut delays = ExponentialBuilder::default()
        .with_min_delay(RETRY_FIRST)
        .with_max_delay(RETRY_LONGEST)
        .with_max_times(RETRIES_MAX)
        .with_jitter()
        .build();
    let mut attempt = 1u32;
    loop {
        count.sending();
        let error = match first(route, call).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        count.failed(&error, call);
        if let (ProviderError::ContextExceeded { window }, Some(refit)) = (&error, refit.as_mut())
            && let Some(fitted) = refit.again(&call.request, route, *window).await
        {
            let reason = format!("{error}; left out: {}", fitted.left_out);
            observer.event(Event::Retry { step, attempt, reason, delay_ms: 0 });
            attempt += 1;
            call.max_output_tokens = call.max_output_tokens.min(fitted.output).max(1);
            call.request = fitted.request;
            continue;
        }
        if !error.is_transient() {
            return Err(error);
        }
        let Some(delay) = delays.next() else { return Err(error) };
        // What an attempt may have cost is spent; another one has what is left.
        let Some(left) = reservation.left_after(&count.lost()) else { return Err(error) };
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        if left < call.max_output_tokens.min(OUTPUT_MIN_TOKENS) {
            return Err(error);
        }
        call.max_output_tokens = call.max_output_tokens.min(left);
        let delay = match &error {
            ProviderError::Status { retry_after_ms: Some(ms), .. } => {
                let asked = Duration::from_millis((*ms).into());
                if asked > RETRY_LONGEST {
                    return Err(error);
                }
                asked.max(delay)
            }
            _ => delay,
        };
        observer.event(Event::Retry {
            step,
            attempt,
            reason: error.to_string(),
            delay_ms: u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
        });
        attempt += 1;
        tokio::time::sleep(delay).await;
    }
}

async fn first(route: &Route, call: &Call) -> Result<Answer, ProviderError> {
    let mut rest = route.provider.call(call.clone()).await?;
    let first = rest.next().await.transpose()?;
    Ok(Answer { first, rest })
}
