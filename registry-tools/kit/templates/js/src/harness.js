// A harness: the prompt and the history go to the model,
// the answer comes back piece by piece, and the model may store notes with one tool.
//
// The contract is in wit/. In JavaScript a record is an object with camelCase names, a case
// of a variant is `{ tag, val }`, an enum is its name as text, flags are an object of booleans, an
// option is the value or `undefined`, and a function's error is thrown, with what it says in
// `payload`.
import { emit } from "xpressclaw:harness/turn@0.1.0";
import { complete } from "xpressclaw:llm/chat@0.1.0";
import { add } from "xpressclaw:xclaw/memory@0.1.0";

/** The model is asked at most so often for one message of the user. */
const STEPS = 10;

const REMEMBER = {
  name: "remember",
  description: "Store a note that outlives this conversation.",
  parameters: JSON.stringify({
    type: "object",
    properties: { text: { type: "string" } },
    required: ["text"],
  }),
};

/** What lives as long as the session does. An instance belongs to one session. */
let role;
const messages = [];

const say = (text) => emit({ tag: "message", val: { tag: "text", val: text } });

/** The contract's `agent-sync`. Plain functions: what they call may wait, and holds no thread. */
export const agentSync = {
  start(config) {
    role = config.role;
    for (const past of config.history) {
      const val = past.role === "user" ? past.parts : past.parts.filter(({ tag }) => tag === "text");
      messages.push({ tag: past.role, val });
    }
    // No `steer`: what the user types meanwhile waits in the host and is the next prompt.
    return { images: true, steer: false };
  },

  turn(prompt) {
    messages.push({ tag: "user", val: prompt });
    try {
      return converse();
    } catch (error) {
      // Anything else that is thrown from here is a trap, and ends the instance.
      if (error?.payload?.tag === undefined) throw { tag: "other", val: String(error) };
      if (error.payload.tag === "cancelled") return "cancelled"; // what was said before stays
      throw meaning(error.payload);
    }
  },
};

/** The model answers, its calls are run, their results go back, until it is done. */
function converse() {
  for (let step = 0; step < STEPS; step += 1) {
    const answer = [];
    let finish;
    try {
      finish = ask(answer);
    } catch (error) {
      // Of an answer that broke off the text stays; nobody ran its calls.
      keep(answer.filter(({ tag }) => tag === "text"));
      throw error;
    }
    keep(answer);
    if (finish === "length") return "max-tokens";
    if (finish === "refusal") return "refusal";
    const calls = answer.filter(({ tag }) => tag === "tool-call");
    if (calls.length === 0) return "end-turn";
    for (const { val } of calls) messages.push({ tag: "tool", val: run(val) });
  }
  say(`I stopped after ${STEPS} steps without being done.`);
  return "max-steps";
}

function keep(answer) {
  if (answer.length > 0) messages.push({ tag: "assistant", val: answer }); // providers refuse an empty one
}

/** One model call. Fills `answer` while it arrives, and says how it ended. */
function ask(answer) {
  const completion = complete({
    system: role, // what is left out is the agent's own, or as the provider has it
    messages,
    tools: [REMEMBER],
    toolChoice: { tag: "auto" },
    stop: [],
  });
  const calls = new Map();
  try {
    for (;;) {
      // Blocks, but holds no thread of the host and spends no CPU time.
      for (const { tag, val } of completion.next()) {
        switch (tag) {
          case "text": {
            say(val);
            const last = answer.at(-1);
            if (last?.tag === "text") last.val += val;
            else answer.push({ tag, val });
            break;
          }
          case "thinking":
            emit({ tag: "thought", val });
            break;
          case "tool-call-start":
            calls.set(val.index, { id: val.id, name: val.name, arguments: "" });
            answer.push({ tag: "tool-call", val: calls.get(val.index) });
            break;
          case "tool-call-arguments":
            calls.get(val.index).arguments += val.fragment;
            break;
          case "tool-call-signature":
            calls.get(val.index).signature = val.signature;
            break;
          case "finished":
            return val.finish;
          default: // signatures of thoughts, which this harness does not give back
        }
      }
    }
  } finally {
    // The collector would do it some time: until then the completion stays open, and the instance
    // cannot be forked.
    completion[Symbol.dispose]();
  }
}

/** Runs a call. Whatever goes wrong is for the model to read: it tries something else. */
function run(call) {
  const { id, name, arguments: input } = call;
  emit({ tag: "call", val: { id, tool: name, kind: "other", title: name, input, locations: [] } });
  let text;
  let status = "completed";
  try {
    text = remember(name, input);
  } catch (error) {
    // An error of the verb (`denied`, `invalid`, … with a text), or one of ours.
    text = error.payload === undefined ? String(error) : (error.payload.val ?? error.payload.tag);
    status = error.payload?.tag === "denied" ? "denied" : "failed";
  }
  const content = [{ tag: "text", val: text }];
  emit({
    tag: "call-update",
    val: { id, status, content: content.map((val) => ({ tag: "part", val })) },
  });
  return { callId: id, content, failed: status !== "completed" };
}

function remember(name, input) {
  if (name !== REMEMBER.name) throw new Error(`there is no tool ${name}`);
  // Arguments are what the model wrote, which may be anything.
  const text = JSON.parse(input)?.text;
  if (typeof text !== "string") throw new Error("the argument text is missing");
  // A verb: the host knows which agent calls, and whether it may.
  return `stored as note ${add(text, [])}`;
}

/** The host has retried what was worth retrying: what arrives here is for the user. */
function meaning({ tag, val }) {
  switch (tag) {
    case "budget-exhausted":
      return { tag: "budget", val: val.message };
    case "invalid-request":
      return { tag: "invalid", val };
    case "provider-failed":
      return { tag: "model", val: val.message };
    case "unknown-model":
      return { tag: "model", val: `unknown model ${val}` };
    case "rate-limited":
      return { tag: "model", val: `rate limited for ${val} ms` };
    case "context-exceeded":
      return { tag: "model", val: `history over ${val} tokens` };
    default:
      return { tag: "other", val: String(val) };
  }
}
