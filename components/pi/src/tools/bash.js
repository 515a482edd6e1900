// pi's `bash` tool on the agent's machine. pi hands a command, a time-out and an abort signal to
// `exec`; shortening, partial results and the text of errors stay pi's.
import { createBashToolDefinition } from "pi:coding-agent/core/tools/bash.js";
import { Buffer } from "buffer";
import { emit } from "xpressclaw:harness/turn@0.1.0";
import { spawn } from "xpressclaw:machine/shell@0.1.0";
import { noteActivity, ready } from "../reactor.js";
import { TextDecoder } from "../shims/text.js";
import { wellFormed } from "../wit.js";
import { noteDenied } from "./calls.js";
import { perCall } from "./files.js";

const NO_MACHINE =
  "no machine attached: commands cannot run in this session; read, write, edit, grep, find and ls work on the workspace";
/** One read of output. */
const CHUNK_BYTES = 64 * 1024;
/** The contract's time-outs are u32 milliseconds; the runtime converts 31 bits of a number. */
const LONGEST_TIMEOUT_MS = 0x7fff_ffff;
/** A shell reports the signal that ended a command as this much more than its number. */
const SIGNAL_BASE = 128;
/** Of the environment that pi sets, what tells a command about its session. */
const SESSION_VARIABLE = /^PI_/;

function refuse(callId, error) {
  const failure = error?.payload;
  switch (failure?.tag) {
    case "no-machine":
      return new Error(NO_MACHINE);
    case "denied":
      noteDenied(callId);
      return new Error(failure.val);
    case "cancelled":
      return new Error("aborted");
    case "gone":
      return new Error(`the machine stopped or was rolled back: ${failure.val}`);
    case undefined:
      return error;
    default:
      return new Error(failure.val);
  }
}

function timeoutMs(seconds) {
  if (seconds === undefined) return null;
  if (!(seconds > 0)) throw new Error("Invalid timeout: must be a finite number of seconds");
  return Math.min(LONGEST_TIMEOUT_MS, Math.ceil(seconds * 1000));
}

/** Passes everything that has arrived to `take`. Returns whether that was the end of output. */
function drain(process, readable, take) {
  while (readable.ready()) {
    const chunks = process.read(CHUNK_BYTES);
    noteActivity();
    if (chunks.length === 0) return true;
    for (const { data } of chunks) take(Buffer.from(data));
  }
  return false;
}

async function run(handles, command, { take, signal }) {
  const process = spawn(command);
  handles.push(process);
  process.closeStdin();
  const readable = process.readable();
  handles.unshift(readable);
  const exited = process.exited();
  handles.unshift(exited);
  // A command is over when its shell is, even if it left something running that holds the output.
  let ended = false;
  while (!exited.ready()) {
    await ready(...(ended ? [exited] : [readable, exited]));
    if (signal?.aborted) throw new Error("aborted");
    if (!ended) ended = drain(process, readable, take);
  }
  if (!ended) drain(process, readable, take);
  return process.exit();
}

function operations(callId) {
  return {
    exec: async (script, _cwd, { onData, signal, timeout, env }) => {
      if (signal?.aborted) throw new Error("aborted");
      const text = new TextDecoder();
      const take = (data) => {
        emit({ tag: "call-output", val: { id: callId, text: wellFormed(text.decode(data, { stream: true })) } });
        onData(data);
      };
      const command = {
        script: wellFormed(script),
        // pi's working directory is the workspace, wherever the machine has it.
        cwd: null,
        env: Object.entries(env ?? {}).filter(([name]) => SESSION_VARIABLE.test(name)),
        timeoutMs: timeoutMs(timeout),
        pty: null,
        callId,
      };
      const handles = [];
      try {
        const exit = await run(handles, command, { take, signal });
        if (exit.tag === "timed-out") throw new Error(`timeout:${timeout}`);
        return { exitCode: exit.tag === "signal" ? SIGNAL_BASE + exit.val : exit.val };
      } catch (error) {
        throw refuse(callId, error);
      } finally {
        for (const handle of handles) handle[Symbol.dispose]();
      }
    },
  };
}

export function bashTool(cwd, { shellCommandPrefix } = {}) {
  return perCall(createBashToolDefinition, cwd, (id) => ({
    commandPrefix: shellCommandPrefix,
    operations: operations(id),
  }));
}
