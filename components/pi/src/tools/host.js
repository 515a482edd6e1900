// The host's remaining verbs as tools (`budget`, `ask`), and the tools that the host itself offers
// (MCP servers behind it).
import { Type } from "typebox";
import { ask } from "xpressclaw:xclaw/ask@0.1.0";
import { status } from "xpressclaw:xclaw/budget@0.1.0";
import * as host from "xpressclaw:tools/tools@0.1.0";
import { noteActivity, ready } from "../reactor.js";
import { toContent, wellFormed } from "../wit.js";
import { date, toolError, verbTool } from "./verb.js";

const NANO = 1e9;
/** Before a host tool's name that one of pi's or ours has already. */
const PREFIX = "host_";
const dollars = (nano) => nano / NANO;

export const otherTools = [
  verbTool({
    name: "budget_status",
    description: "Show what may still be spent on model calls, in US dollars, for every cap that binds this agent.",
    snippet: "Show what may still be spent on model calls",
    parameters: Type.Object({}),
    verb: () => {
      const lines = status();
      if (lines.length === 0) return "no budget limits this agent";
      return lines.map((line) => ({
        scope: line.scope,
        window: line.window,
        cap: dollars(line.cap),
        spent: dollars(line.settled),
        reserved: dollars(line.reserved),
        left: dollars(Math.max(0, line.cap - line.settled - line.reserved)),
        resets: date(line.resetsAt),
      }));
    },
  }),
  verbTool({
    name: "ask_user",
    description:
      "Ask the user a question and wait for the answer. With choices the answer is one of them. Use it when a decision is the user's and cannot be found in the workspace.",
    snippet: "Ask the user a question and wait for the answer",
    parameters: Type.Object({
      question: Type.String({ minLength: 1 }),
      choices: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
    }),
    verb: ({ question, choices }) => ask(wellFormed(question), (choices ?? []).map(wellFormed)),
  }),
];

/** The host's tools, renamed where `taken` has their name. They do not change during a turn. */
export function hostTools(taken) {
  return host.listTools().map((tool) => ({
    name: taken.has(tool.name) ? `${PREFIX}${tool.name}` : tool.name,
    label: tool.name,
    description: tool.description,
    promptSnippet: tool.description.split("\n", 1)[0],
    parameters: Type.Unsafe(JSON.parse(tool.parameters)),
    execute: (callId, input, signal) => call(tool.name, callId, input, signal),
  }));
}

async function call(name, callId, input, signal) {
  const handles = [];
  try {
    const invocation = host.call(name, wellFormed(JSON.stringify(input)), callId);
    handles.push(invocation);
    const over = invocation.ready();
    handles.unshift(over);
    await ready(over);
    if (signal?.aborted) throw new Error("Operation aborted");
    const { content, failed } = invocation.finish();
    noteActivity();
    const blocks = toContent(content);
    // pi reports a failure by an error, whose text is all that the model sees.
    if (failed) throw new Error(blocks.map((block) => block.text ?? "(an image)").join("\n"));
    return { content: blocks, details: undefined };
  } catch (error) {
    throw toolError(callId, error);
  } finally {
    for (const handle of handles) handle[Symbol.dispose]();
  }
}
