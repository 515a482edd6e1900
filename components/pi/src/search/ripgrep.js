// Answers in place of ripgrep: takes the arguments that pi's `grep` tool starts it with and writes
// the JSON that the tool reads. What the tool makes of it (limits, context, shortening) is pi's.
import ignore from "ignore";
import path from "path-browserify";
import { readFileSync, statSync } from "../shims/fs.js";
import { toRegExp } from "./pattern.js";
import { walk } from "./walk.js";

/** The name under which pi starts it. */
export const RIPGREP = "rg";

/** Larger files are rarely text that someone wrote; reading them all would take minutes. */
const LARGEST_FILE_BYTES = 8 << 20;
const NOTHING_FOUND = 1;
const FAILED = 2;

function parse(args) {
  const options = { ignoreCase: false, literal: false, glob: undefined };
  const end = args.indexOf("--");
  for (let index = 0; index < end; index += 1) {
    if (args[index] === "--ignore-case") options.ignoreCase = true;
    else if (args[index] === "--fixed-strings") options.literal = true;
    else if (args[index] === "--glob") options.glob = args[(index += 1)];
  }
  return { ...options, pattern: args[end + 1], root: args[end + 2] };
}

/** Runs the search that `args` describe and reports on `child`, a process in the sense of Node. */
export function searchAsRipgrep(child, args) {
  let code = NOTHING_FOUND;
  try {
    for (const match of search(parse(args))) {
      code = 0;
      child.stdout.emit("data", `${JSON.stringify({ type: "match", data: match })}\n`);
      if (child.killed) break;
    }
  } catch (error) {
    code = FAILED;
    child.stderr.emit("data", error.message);
  }
  child.stdout.emit("end");
  child.emit("close", child.killed ? null : code);
}

function* search({ pattern, root, glob, ignoreCase, literal }) {
  const expression = toRegExp(pattern, { ignoreCase, literal });
  const wanted = globFilter(glob, root);
  for (const entry of walk(root)) {
    if (entry.directory || !wanted(entry.path)) continue;
    const text = textOf(entry.path);
    if (text === undefined || !expression.test(text)) continue;
    const lines = text.split("\n");
    for (let index = 0; index < lines.length; index += 1) {
      const line = lines[index];
      // What follows the last line break is a line only if there is something in it.
      if (index === lines.length - 1 && line === "") break;
      if (!expression.test(line.endsWith("\r") ? line.slice(0, -1) : line)) continue;
      yield { path: { text: entry.path }, line_number: index + 1, lines: { text: `${line}\n` } };
    }
  }
}

/** The file's text; `undefined` for what is too large, not text or not readable. */
function textOf(file) {
  try {
    const stat = statSync(file);
    if (!stat.isFile() || stat.size > LARGEST_FILE_BYTES) return undefined;
    const bytes = readFileSync(file);
    return bytes.includes(0) ? undefined : bytes.toString("utf8");
  } catch {
    return undefined;
  }
}

/** ripgrep's `--glob` has the rules of a `.gitignore` line, turned around: what matches is wanted. */
function globFilter(glob, root) {
  if (glob === undefined) return () => true;
  const excluded = glob.startsWith("!");
  const matcher = ignore().add(excluded ? glob.slice(1) : glob);
  return (file) => {
    const relative = path.relative(root, file);
    return matcher.ignores(relative === "" ? path.basename(file) : relative) !== excluded;
  };
}
