// A scripted model behind the contract's `llm`. A turn of the script is an object:
// `text`, `thinking`, `signature`, `callSignature`, `calls` ([name, arguments] or [name, JSON text]), `finish`,
// `usage`, `cost`, `model`; or `refused` (an error of `complete`) or `error` (an error of `next`);
// `hold` keeps the answer back until `host.release()`. A function is called with the request.
import { failure } from "./handles.mjs";
import * as shapes from "./shapes.mjs";

const USAGE = { input: 100, cached: 0, cacheWritten: 0, output: 10, reasoning: 0 };
/** Text arrives in pieces of this many characters. */
const PIECE = 7;

export const MODEL = {
  name: "scripted",
  contextWindow: 128_000,
  maxOutputTokens: 4_096,
  images: true,
  reasoning: true,
  price: { input: 3_000_000_000, cached: 300_000_000, cacheWrite: 3_750_000_000, output: 15_000_000_000 },
};

function pieces(tag, text = "") {
  const found = [];
  for (let at = 0; at < text.length; at += PIECE) found.push({ tag, val: text.slice(at, at + PIECE) });
  return found;
}

function eventsOf(turn, nextId) {
  const calls = (turn.calls ?? []).flatMap(([name, input], index) => [
    { tag: "tool-call-start", val: { index, id: nextId(), name } },
    ...pieces("tool-call-arguments", typeof input === "string" ? input : JSON.stringify(input)).map(({ tag, val }) => ({
      tag,
      val: { index, fragment: val },
    })),
  ]);
  if (turn.callSignature !== undefined) {
    calls.push({ tag: "tool-call-signature", val: { index: 0, signature: turn.callSignature } });
  }
  const outcome = {
    finish: turn.finish ?? (calls.length > 0 ? "tool-calls" : "stop"),
    model: turn.model ?? MODEL.name,
    downgradedFrom: null,
    usage: { ...USAGE, ...turn.usage },
    cost: turn.cost ?? 450_000,
  };
  return [
    ...pieces("thinking", turn.thinking),
    ...(turn.signature === undefined ? [] : [{ tag: "thinking-signature", val: turn.signature }]),
    ...pieces("text", turn.text),
    ...calls,
    { tag: "finished", val: outcome },
  ];
}

/** `complete` of the contract; `script` is consumed. */
export function scriptedModel(host, script) {
  let ids = 0;
  return (request) => {
    shapes.request(request, "request");
    host.requests.push(structuredClone(request));
    const entry = script.shift();
    if (entry === undefined) throw new Error("the script has no turn left");
    const turn = typeof entry === "function" ? entry(request) : entry;
    if (turn.refused !== undefined) throw failure(turn.refused);
    const events = eventsOf(turn, () => `call_${++ids}`);
    if (turn.hold) host.held = true;
    return host.handles.open(
      "completion",
      {
        ready: () => host.handles.waitable(() => !host.held),
        next: () => {
          if (host.cancelled) throw failure({ tag: "cancelled" });
          if (turn.error !== undefined && events.length <= 1) throw failure(turn.error);
          // One event at a time, then the rest at once: both must work.
          return events.splice(0, events.length > 5 ? 1 : events.length - (turn.error === undefined ? 0 : 1));
        },
      },
      () => host.dropped.push("completion"),
    );
  };
}
