// The form of our own tools: a verb of the host with a schema for the model. pi lists them in its
// system prompt like its own.
import { noteDenied } from "./calls.js";
import { wellFormed } from "../wit.js";

/** An error of `xpressclaw:xclaw` or `xpressclaw:tools` as the text that the model sees. */
export function toolError(callId, error) {
  const failure = error?.payload;
  if (failure === undefined) return error;
  if (failure.tag === "denied") noteDenied(callId);
  if (failure.tag === "cancelled") return new Error("Operation aborted");
  return new Error(failure.val === undefined ? failure.tag : `${failure.tag}: ${failure.val}`);
}

/**
 * A tool that runs `verb(parameters)`, which may be async, and answers with its value as JSON, or
 * as it is when it is text. `snippet` is its line in the system prompt.
 */
export function verbTool({ name, description, snippet, parameters, verb }) {
  return {
    name,
    label: name,
    description,
    promptSnippet: snippet,
    parameters,
    async execute(callId, input) {
      let value;
      try {
        value = await verb(input);
      } catch (error) {
        throw toolError(callId, error);
      }
      const text = typeof value === "string" ? value : JSON.stringify(value, undefined, 1);
      return { content: [{ type: "text", text: wellFormed(text) }], details: undefined };
    },
  };
}

/** Milliseconds since the epoch as a date that a model can read; `null` stays. */
export const date = (milliseconds) => (milliseconds === null ? null : new Date(milliseconds).toISOString());
