// Runs the component's bundle as the component runtime does: in a realm that has the language and
// nothing else, with the host's interfaces as its only imports.
import { createContext, runInContext } from "node:vm";
import { bundle } from "../../build/bundle.mjs";
import { Host } from "./host.mjs";

const code = (await bundle({ format: "cjs", minify: false })).text;
const VERSION = /@[\d.]+$/;

const CONFIG = {
  session: "session-1",
  resumed: false,
  model: "scripted",
  role: null,
  workspace: "/workspace",
  history: [],
  settings: "{}",
};

/** What QuickJS does not have, in no realm. */
const ABSENT = ["Intl", "WebAssembly", "SharedArrayBuffer", "Atomics"];

const encodeBase64 = (bytes) => Buffer.from(bytes).toString("base64");
const BASE64 = `{
  const { encode, decode } = globalThis;
  Uint8Array.prototype.toBase64 = function () { return encode(this); };
  Uint8Array.fromBase64 = (text) => new Uint8Array(decode(text, "base64"));
  delete globalThis.encode;
  delete globalThis.decode;
}`;

/** A fresh instance of the component on `host`. */
export function instantiate(host) {
  const interfaces = host.interfaces();
  const module = { exports: {} };
  const context = createContext({
    module,
    exports: module.exports,
    require: (name) => {
      const found = interfaces[name.replace(VERSION, "")];
      if (found === undefined) throw new Error(`the component imports ${name}, which the tests do not know`);
      return found;
    },
  });
  // QuickJS has these of the web, and two functions that newer versions of Node have, too.
  Object.assign(context, { atob, btoa, encode: encodeBase64, decode: Buffer.from });
  runInContext(BASE64, context);
  for (const name of ABSENT) runInContext(`delete globalThis.${name}`, context);
  context.dispose = Symbol.dispose;
  runInContext(`Object.defineProperty(Symbol, "dispose", { value: dispose }); delete globalThis.dispose`, context);
  runInContext(code, context, { filename: "pi.bundle.js" });
  return module.exports.agent;
}

/** A started instance: `{ host, agent, turn(text) }`. */
export async function start({ config, ...options } = {}) {
  const host = new Host(options);
  return continueOn(host, config);
}

/** A new instance on `host`, as another process of the same session. */
export async function continueOn(host, config) {
  const agent = instantiate(host);
  const features = await agent.start({ ...CONFIG, ...config });
  const opened = host.handles.kinds();
  const turn = async (...prompt) => {
    host.events.length = 0;
    const parts = prompt.map((part) => (typeof part === "string" ? { tag: "text", val: part } : part));
    try {
      return await agent.turn(parts);
    } finally {
      const left = host.handles.kinds();
      if (left.join() !== opened.join()) throw new Error(`handles left open by the turn: ${left} (start: ${opened})`);
    }
  };
  return { host, agent, turn, features };
}

/** The text that the user saw. */
export const said = (host) =>
  host.events.map((event) => (event.tag === "message" && event.val.tag === "text" ? event.val.val : "")).join("");

/** The last update of each call, in order. */
export const updates = (host) => host.events.filter(({ tag }) => tag === "call-update").map(({ val }) => val);

/** What the model was told about its `index`-th last tool call. */
export function resultsIn(request) {
  return request.messages
    .filter(({ tag }) => tag === "tool")
    .map(({ val }) => ({ failed: val.failed, text: val.content.map((part) => part.val).join("") }));
}
