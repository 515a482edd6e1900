// The globals that pi expects of Node and that QuickJS lacks. Imported first by `main.js`, for its
// effect: modules evaluate in the order of their imports.
//
// The instance is a snapshot taken at build time, so nothing here may read a clock, a random number
// or a directory while it loads.
import "./utf8.js";
import structuredCloneOf from "@ungap/structured-clone";
import { AbortController, AbortSignal } from "abortcontroller-polyfill/dist/cjs-ponyfill.js";
import { Buffer } from "buffer";
import { URL, URLSearchParams } from "whatwg-url-minimum";
import { log } from "./console.js";
import { getRandomValues, randomFraction, randomUUID } from "./crypto.js";
import process from "./process.js";
import { TextDecoder, TextEncoder } from "./text.js";
import { clearTimer, setRepeating, setTimer } from "../reactor.js";

/** An event of the DOM, as far as abort signals use it. */
class Event {
  constructor(type) {
    this.type = type;
  }
}

// QuickJS seeds `Math.random` when the snapshot is taken: every session would draw the same numbers.
Math.random = randomFraction;

Object.assign(globalThis, {
  AbortController,
  AbortSignal,
  Buffer,
  Event,
  TextDecoder,
  TextEncoder,
  URL,
  URLSearchParams,
  clearInterval: clearTimer,
  clearTimeout: clearTimer,
  console: log,
  crypto: { getRandomValues, randomUUID },
  process,
  queueMicrotask: (task) => void Promise.resolve().then(task),
  setImmediate: (task, ...args) => setTimer(task, 0, ...args),
  setInterval: setRepeating,
  setTimeout: setTimer,
  structuredClone: (value) => structuredCloneOf(value, { lossy: true }),
});
