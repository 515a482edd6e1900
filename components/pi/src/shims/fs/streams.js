// `fs.createWriteStream`, for the full output of a command that pi keeps beside its shortened
// answer. Each piece is appended at once, so no descriptor stays open between two pieces.
import { EventEmitter } from "events";
import { appendFileSync, writeFileSync } from "./files.js";

export function createWriteStream(target) {
  const stream = new EventEmitter();
  let failure;
  const attempt = (action) => {
    if (failure !== undefined) return;
    try {
      action();
    } catch (error) {
      failure = error;
    }
  };
  attempt(() => writeFileSync(target, ""));
  stream.path = target;
  stream.write = (data) => {
    attempt(() => appendFileSync(target, data));
    return true;
  };
  stream.end = () => {
    void Promise.resolve().then(() => (failure ? stream.emit("error", failure) : stream.emit("finish")));
  };
  return stream;
}

export function createReadStream(target) {
  throw new Error(`reading ${target} as a stream is not supported`);
}
