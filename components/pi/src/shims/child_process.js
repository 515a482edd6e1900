// Node's `child_process`: no process runs inside the component. One name is known all the same:
// pi's grep tool starts ripgrep and reads its JSON, and our own search answers in its place.
// Commands of the `bash` tool never come here; they go to the agent's machine.
import { EventEmitter } from "events";
import { RIPGREP, searchAsRipgrep } from "../search/ripgrep.js";

export function spawn(command, args = []) {
  const child = new EventEmitter();
  child.stdout = new EventEmitter();
  child.stderr = new EventEmitter();
  child.killed = false;
  child.kill = () => {
    child.killed = true;
    return true;
  };
  const run = command === RIPGREP ? searchAsRipgrep : missing;
  // The caller attaches its listeners after this returns.
  void Promise.resolve().then(() => run(child, args));
  return child;
}

function missing(child) {
  child.emit("error", Object.assign(new Error("no local process can be started"), { code: "ENOENT" }));
}

export function spawnSync(command) {
  return { error: new Error(`no local process can be started: ${command}`), status: null, stdout: "", stderr: "" };
}

export default { spawn, spawnSync };
