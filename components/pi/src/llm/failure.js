// What a failed model call means to pi. pi reads texts: "out of budget" is never repeated,
// "rate limit" is repeated later, "exceeds the context window" makes it compact. The host knows
// better than a text whether a repetition may succeed, so its verdict is kept beside the message.
import { wellFormed } from "../wit.js";

const verdicts = new WeakMap();

/**
 * What the host reported: `outcome` is a case of the contract's error for the end of the turn,
 * `retryAfter` milliseconds before which the next request must not be sent.
 */
export function judge(error) {
  const failure = error?.payload;
  switch (failure?.tag) {
    case "budget-exhausted":
      return verdict("budget", false, `out of budget (${failure.val.scope}): ${failure.val.message}`);
    case "rate-limited":
      return verdict("model", true, `rate limit reached, retry in ${failure.val} ms`, failure.val);
    case "unknown-model":
      return verdict("model", false, `unknown model: ${failure.val}`);
    case "context-exceeded":
      return {
        ...verdict(
          "model",
          false,
          `the request exceeds the context window: the model's maximum context length is ${failure.val} tokens`,
        ),
        contextWindow: failure.val,
      };
    case "provider-failed": {
      const { status, message, retriable } = failure.val;
      return verdict("model", retriable, status === null ? message : `${status}: ${message}`);
    }
    case "invalid-request":
      return verdict("model", false, `the model's provider refused the request: ${failure.val}`);
    case "cancelled":
      return verdict("cancelled", false, "cancelled");
    case "other":
      return verdict("model", false, failure.val);
    default:
      return verdict("other", false, error instanceof Error ? error.message : String(error));
  }
}

function verdict(outcome, retriable, text, retryAfter = 0) {
  return { outcome, retriable, text: wellFormed(text), retryAfter };
}

/** Keeps `verdict` for the assistant message that a failed call ended in. */
export function keepVerdict(message, verdict) {
  verdicts.set(message, verdict);
}

export const verdictOf = (message) => verdicts.get(message);
