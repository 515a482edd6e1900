// Node's `process`. `versions` stays empty: code that finds a Node version there loads Node's
// modules at run time, which QuickJS cannot.

let directory = "/";

/** Called by `start`: the workspace is the initial working directory. */
export function setWorkingDirectory(path) {
  directory = path;
}

const process = {
  arch: "wasm32",
  argv: ["pi"],
  cwd: () => directory,
  emitWarning: () => {},
  env: {},
  execPath: "/pi",
  features: {},
  getBuiltinModule: () => undefined,
  nextTick: (task, ...args) => void Promise.resolve().then(() => task(...args)),
  pid: 1,
  platform: "linux",
  stderr: { isTTY: false },
  stdout: { isTTY: false },
  version: "",
  versions: {},
};

export default process;
