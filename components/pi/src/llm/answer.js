// Builds pi's assistant message and its event stream from the host's events.
//
// A block ends when the next one begins. Arguments of tool calls are parsed once, at their end:
// parsing every prefix would cost the square of their length.
import { calculateCost, parseStreamingJson } from "@earendil-works/pi-ai";
import { API } from "./models.js";

const NANO = 1e9;
const STOP_REASONS = { stop: "stop", length: "length", "tool-calls": "toolUse", refusal: "stop" };

function emptyUsage() {
  return {
    input: 0,
    output: 0,
    cacheRead: 0,
    cacheWrite: 0,
    totalTokens: 0,
    cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, total: 0 },
  };
}

export class Answer {
  #stream;
  #model;
  #open;
  #json = new Map();
  #calls = new Map();

  constructor(stream, model) {
    this.#stream = stream;
    this.#model = model;
    this.message = {
      role: "assistant",
      content: [],
      api: API,
      provider: model.provider,
      model: model.id,
      usage: emptyUsage(),
      stopReason: "stop",
      timestamp: Date.now(),
    };
  }

  begin() {
    this.#stream.push({ type: "start", partial: this.message });
  }

  /** Takes one event of the contract. Returns whether it was the last. */
  take({ tag, val }) {
    switch (tag) {
      case "text":
        this.#append("text", "text", val);
        return false;
      case "thinking":
        this.#append("thinking", "thinking", val);
        return false;
      case "thinking-signature":
        this.#sign(val);
        return false;
      case "tool-call-start":
        this.#startCall(val);
        return false;
      case "tool-call-arguments":
        this.#continueCall(val);
        return false;
      case "tool-call-signature":
        this.#signCall(val);
        return false;
      default:
        this.#finish(val);
        return true;
    }
  }

  /** Ends the message without an answer; `reason` is `error` or `aborted`. */
  fail(reason, text) {
    this.#closeAll();
    this.message.stopReason = reason;
    this.message.errorMessage = text;
    this.#stream.push({ type: "error", reason, error: this.message });
    this.#stream.end();
  }

  #push(type, block, more) {
    this.#stream.push({
      type,
      contentIndex: this.message.content.indexOf(block),
      ...more,
      partial: this.message,
    });
  }

  #append(type, field, delta) {
    if (this.#open?.type !== type || this.#open.thinkingSignature !== undefined) {
      this.#close();
      this.#open = { type, [field]: "" };
      this.message.content.push(this.#open);
      this.#push(`${type}_start`, this.#open);
    }
    this.#open[field] += delta;
    this.#push(`${type}_delta`, this.#open, { delta });
  }

  #sign(signature) {
    // A signature without text is a block that the provider keeps to itself.
    if (this.#open?.type !== "thinking") this.#append("thinking", "thinking", "");
    this.#open.thinkingSignature = signature;
    this.#close();
  }

  #startCall({ index, id, name }) {
    this.#close();
    const block = { type: "toolCall", id, name, arguments: {} };
    this.message.content.push(block);
    this.#calls.set(index, block);
    this.#json.set(block, "");
    this.#push("toolcall_start", block);
  }

  #continueCall({ index, fragment }) {
    const block = this.#calls.get(index);
    if (block === undefined) return;
    this.#json.set(block, this.#json.get(block) + fragment);
    this.#push("toolcall_delta", block, { delta: fragment });
  }

  #signCall({ index, signature }) {
    const block = this.#calls.get(index);
    if (block !== undefined) block.thoughtSignature = signature;
  }

  #close() {
    const block = this.#open;
    this.#open = undefined;
    if (block === undefined) return;
    const content = block.type === "text" ? block.text : block.thinking;
    this.#push(`${block.type}_end`, block, { content });
  }

  #closeAll() {
    this.#close();
    for (const [block, json] of this.#json) {
      block.arguments = parseStreamingJson(json);
      this.#push("toolcall_end", block, { toolCall: block });
    }
    this.#json.clear();
  }

  #finish(outcome) {
    this.#closeAll();
    const { message } = this;
    const { usage } = outcome;
    message.usage.cacheRead = usage.cached;
    message.usage.cacheWrite = usage.cacheWritten;
    // pi counts cached input apart, the contract counts it as input too.
    message.usage.input = Math.max(0, usage.input - usage.cached - usage.cacheWritten);
    message.usage.output = usage.output;
    message.usage.totalTokens = usage.input + usage.output;
    calculateCost(this.#model, message.usage);
    // The ledger's sum is exact; the shares above are computed from the list price.
    message.usage.cost.total = outcome.cost / NANO;
    if (outcome.model !== message.model) message.responseModel = outcome.model;
    message.rawStopReason = outcome.finish;
    message.stopReason = STOP_REASONS[outcome.finish];
    this.#stream.push({ type: "done", reason: message.stopReason, message });
    this.#stream.end();
  }
}
