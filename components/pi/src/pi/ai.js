// Stands in for `@earendil-works/pi-ai/compat`, which loads every provider's client. Here there is
// one provider, the host; the rest of what pi's session needs is pi's own, re-exported.
import { isRetryableAssistantError as looksRetryable } from "@earendil-works/pi-ai";
import { verdictOf } from "../llm/failure.js";
import { streamChat } from "../llm/stream.js";

export {
  clampThinkingLevel,
  cleanupSessionResources,
  getSupportedThinkingLevels,
  isContextOverflow,
  isRecoverableLength,
  modelsAreEqual,
} from "@earendil-works/pi-ai";

export const streamSimple = streamChat;
export const completeSimple = (model, context, options) => streamChat(model, context, options).result();
export const resetApiProviders = () => {};

/** The host says whether a failed request may succeed later; pi guesses from the text otherwise. */
export function isRetryableAssistantError(message) {
  const verdict = verdictOf(message);
  return verdict === undefined ? looksRetryable(message) : verdict.retriable;
}
