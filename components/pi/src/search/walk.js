// Walks a directory tree as ripgrep and fd do: hidden files too, nothing that a `.gitignore` or
// `.ignore` excludes, nothing inside `.git`, and symbolic links are named but not followed, so that
// a loop of links cannot trap it.
//
// Called by the `find` tool and by the search behind `grep`.
import ignore from "ignore";
import path from "path-browserify";
import { lstatSync, readFileSync, readdirSync } from "../shims/fs.js";
import process from "../shims/process.js";

/** No real tree is deeper; a file system that loops without links would be. */
const DEEPEST = 64;
/** A walk reads at most this many names: enough for large repositories, seconds and not minutes. */
const MOST_ENTRIES = 200_000;
const IGNORE_FILES = [".gitignore", ".ignore"];
const ALWAYS_SKIPPED = new Set([".git"]);

/**
 * The entries below `root`, or `root` itself when it is a file:
 * `{ path, name, directory }`, paths absolute, directories before what is in them.
 */
export function* walk(root) {
  const stat = lstatSync(root, { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isDirectory() && !stat.isSymbolicLink()) {
    yield { path: root, name: path.basename(root), directory: false };
    return;
  }
  const budget = { left: MOST_ENTRIES };
  yield* below(root, rulesAbove(root), 0, budget);
}

function* below(directory, outer, depth, budget) {
  if (depth > DEEPEST) return;
  const rules = withRulesOf(directory, outer);
  for (const entry of entriesOf(directory)) {
    budget.left -= 1;
    if (budget.left < 0) return;
    if (ALWAYS_SKIPPED.has(entry.name)) continue;
    const full = path.join(directory, entry.name);
    const isDirectory = entry.isDirectory();
    if (isIgnored(full, isDirectory, rules)) continue;
    yield { path: full, name: entry.name, directory: isDirectory };
    if (isDirectory) yield* below(full, rules, depth + 1, budget);
  }
}

/** A directory that vanished or cannot be read is empty to a search. */
function entriesOf(directory) {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}

function withRulesOf(directory, outer) {
  const own = IGNORE_FILES.flatMap((name) => {
    try {
      return [readFileSync(path.join(directory, name), "utf8")];
    } catch {
      return [];
    }
  });
  if (own.length === 0) return outer;
  return [{ base: directory, matcher: ignore().add(own.join("\n")) }, ...outer];
}

/** The rules of the directories from the workspace down to, not including, `root`. */
function rulesAbove(root) {
  const top = process.cwd();
  if (root === top || !root.startsWith(`${top}/`)) return [];
  const parents = [];
  for (let at = path.dirname(root); at.length >= top.length; at = path.dirname(at)) parents.unshift(at);
  return parents.reduce((rules, directory) => withRulesOf(directory, rules), []);
}

/** The innermost rule that speaks of the path decides. */
function isIgnored(full, isDirectory, rules) {
  for (const { base, matcher } of rules) {
    const relative = path.relative(base, full) + (isDirectory ? "/" : "");
    const { ignored, unignored } = matcher.test(relative);
    if (ignored) return true;
    if (unignored) return false;
  }
  return false;
}
