// pi's `streamFn`: one model call on `xpressclaw:llm/chat`, as pi's event stream.
//
// Called by pi's agent loop and by its compaction. It never throws: whatever goes wrong becomes an
// assistant message with `stopReason` `error` or `aborted`, as pi expects of its providers.
import { createAssistantMessageEventStream, normalizeContext } from "@earendil-works/pi-ai";
import { complete } from "xpressclaw:llm/chat@0.1.0";
import { noteActivity, ready } from "../reactor.js";
import { Answer } from "./answer.js";
import { judge, keepVerdict } from "./failure.js";
import { toRequest } from "./request.js";

const ABORTED = "Request was aborted";

/** The time before which the host asked not to be called again. */
let notBefore = 0;

export function streamChat(model, context, options = {}) {
  const stream = createAssistantMessageEventStream();
  void pump(new Answer(stream, model), model, normalizeContext(context), options);
  return stream;
}

async function pump(answer, model, context, options) {
  const { signal } = options;
  const handles = [];
  try {
    await politely(signal);
    const completion = complete(toRequest(model, context, options));
    handles.push(completion);
    const arrival = completion.ready();
    handles.unshift(arrival);
    answer.begin();
    for (;;) {
      await ready(arrival);
      if (signal?.aborted) throw new Error(ABORTED);
      const events = completion.next();
      noteActivity();
      for (const event of events) if (answer.take(event)) return;
    }
  } catch (error) {
    fail(answer, model, error, signal);
  } finally {
    for (const handle of handles) handle[Symbol.dispose]();
    noteActivity();
  }
}

function fail(answer, model, error, signal) {
  const verdict = judge(error);
  if (signal?.aborted || verdict.outcome === "cancelled") return answer.fail("aborted", ABORTED);
  notBefore = Date.now() + verdict.retryAfter;
  // A smaller model may have answered in place of the agent's own; pi compacts for the real limit.
  if (verdict.contextWindow < model.contextWindow) model.contextWindow = verdict.contextWindow;
  keepVerdict(answer.message, verdict);
  answer.fail("error", verdict.text);
}

/** Waits as long as the host asked for after its last refusal. */
async function politely(signal) {
  // Lets the caller attach to the stream first.
  await undefined;
  const delay = notBefore - Date.now();
  if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
  if (signal?.aborted) throw new Error(ABORTED);
}
