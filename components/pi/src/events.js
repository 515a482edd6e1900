// What pi's session reports, as the contract's events.
//
// `report` is subscribed once per instance. It emits and keeps, but never waits: `emit` blocks
// while the reader is behind, which is all the back-pressure there is.
import path from "path-browserify";
import { emit } from "xpressclaw:harness/turn@0.1.0";
import { noteActivity } from "./reactor.js";
import { takeNotes } from "./tools/calls.js";
import { toParts, wellFormed } from "./wit.js";

const KINDS = {
  bash: "execute",
  edit: "edit",
  find: "search",
  grep: "search",
  ls: "read",
  memory_search: "search",
  read: "read",
  write: "edit",
};
/** The argument that a call's title shows, for pi's tools and ours. */
const TITLE_ARGUMENTS = ["path", "command", "pattern", "query", "title", "question", "text", "id"];
/** A title is one line on a terminal. */
const LONGEST_TITLE = 100;
const FILE_TOOLS = new Set(["edit", "find", "grep", "ls", "read", "write"]);

function titleOf(tool, args) {
  // pi's search tools show what is sought, not where.
  const order = tool === "grep" || tool === "find" ? ["pattern"] : TITLE_ARGUMENTS;
  const name = order.find((key) => typeof args?.[key] === "string" && args[key] !== "");
  if (name === undefined) return tool;
  const text = `${tool} ${args[name].trim().split("\n", 1)[0]}`;
  return wellFormed(text.length > LONGEST_TITLE ? `${text.slice(0, LONGEST_TITLE - 1)}…` : text);
}

function locationsOf(tool, args, cwd) {
  if (!FILE_TOOLS.has(tool) || typeof args?.path !== "string") return [];
  const line = Number.isSafeInteger(args.offset) && args.offset > 0 ? args.offset : null;
  return [{ path: wellFormed(path.resolve(cwd, args.path)), line }];
}

function call({ toolCallId, toolName, args }, cwd) {
  return {
    id: toolCallId,
    tool: toolName,
    kind: KINDS[toolName] ?? "other",
    title: titleOf(toolName, args),
    input: wellFormed(JSON.stringify(args ?? {})),
    locations: locationsOf(toolName, args, cwd),
  };
}

function finished({ toolCallId, result, isError }) {
  const { denied, diff } = takeNotes(toolCallId);
  const content = toParts(result.content).map((part) => ({ tag: "part", val: part }));
  if (diff !== undefined && !isError) {
    const old = diff.old === null ? null : wellFormed(diff.old);
    content.push({ tag: "diff", val: { path: wellFormed(diff.path), old, new: wellFormed(diff.new) } });
  }
  return {
    id: toolCallId,
    status: denied ? "denied" : isError ? "failed" : "completed",
    content,
    // pi's details: how output was shortened, a unified patch, the first changed line.
    output: result.details === undefined ? null : wellFormed(JSON.stringify(result.details)),
  };
}

function compacted(event) {
  if (event.result !== undefined) {
    const { tokensBefore, estimatedTokensAfter } = event.result;
    return `history compacted: ${tokensBefore} to about ${estimatedTokensAfter} tokens`;
  }
  if (event.aborted) return "compaction cancelled";
  return event.errorMessage ?? "compaction failed";
}

function retrying({ attempt, maxAttempts, delayMs, errorMessage }) {
  return `model call failed (${errorMessage}); attempt ${attempt} of ${maxAttempts} in ${delayMs} ms`;
}

export const notice = (text) => emit({ tag: "notice", val: wellFormed(text) });

/** The listener for pi's session; `cwd` resolves the paths of tool calls. */
export function reporter(cwd) {
  return (event) => {
    noteActivity();
    switch (event.type) {
      case "message_update":
        delta(event.assistantMessageEvent);
        break;
      case "tool_execution_start":
        emit({ tag: "call", val: call(event, cwd) });
        break;
      case "tool_execution_end":
        emit({ tag: "call-update", val: finished(event) });
        break;
      case "compaction_start":
        notice("compacting the history");
        break;
      case "compaction_end":
        notice(compacted(event));
        break;
      case "auto_retry_start":
      case "summarization_retry_scheduled":
        notice(retrying({ ...event, maxAttempts: event.maxAttempts }));
        break;
      default:
    }
  };
}

function delta({ type, delta: text }) {
  if (text === "") return;
  if (type === "text_delta") emit({ tag: "message", val: { tag: "text", val: wellFormed(text) } });
  else if (type === "thinking_delta") emit({ tag: "thought", val: wellFormed(text) });
}
