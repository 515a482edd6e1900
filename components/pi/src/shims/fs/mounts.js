// Where paths begin: the directories that the host opened for the component.
//
// `start` calls `openMounts` once, so that the handles are part of what a fork replays. No other
// directory stays open.
import path from "path-browserify";
import { getDirectories } from "wasi:filesystem/preopens@0.2.12";
import process from "../process.js";
import { fsError, guarded, notFound } from "./errors.js";

/** As Linux: more symbolic links than this in one path are a loop. */
const MOST_LINKS = 40;

let mounts = [];

/** Opens the host's directories; the longest path wins where one lies in another. */
export function openMounts() {
  mounts = getDirectories()
    .map(([descriptor, name]) => ({ descriptor, root: path.resolve("/", name) }))
    .sort((a, b) => b.root.length - a.root.length);
}

/** The absolute path of what Node accepts as a path: text, bytes or a `file:` address. */
export function absolute(target) {
  const text = typeof target === "string" ? target : (target?.pathname ?? String(target));
  if (text.includes("\0")) throw fsError("EINVAL", "a path must not contain a zero byte", "open", text);
  return path.resolve(process.cwd(), text);
}

/** The directory that holds `target` and the path inside it, for one call of wasi:filesystem. */
export function locate(operation, target) {
  const full = absolute(target);
  for (const { descriptor, root } of mounts) {
    if (full === root) return { descriptor, relative: ".", full };
    const prefix = root === "/" ? "/" : `${root}/`;
    if (full.startsWith(prefix)) return { descriptor, relative: full.slice(prefix.length), full };
  }
  throw notFound(operation, full);
}

/** The path without symbolic links; throws when it does not exist. */
export function realPath(target) {
  let rest = absolute(target).split("/").filter(Boolean);
  let real = "/";
  let links = 0;
  while (rest.length > 0) {
    const next = path.join(real, rest.shift());
    if (!isMountOrAbove(next)) {
      const { descriptor, relative } = locate("realpath", next);
      const stat = guarded("realpath", next, () => descriptor.statAt({ symlinkFollow: false }, relative));
      if (stat.type === "symbolic-link") {
        links += 1;
        if (links > MOST_LINKS) throw fsError("ELOOP", "too many symbolic links encountered", "realpath", next);
        const link = guarded("realpath", next, () => descriptor.readlinkAt(relative));
        rest = [...path.resolve(real, link).split("/").filter(Boolean), ...rest];
        real = "/";
        continue;
      }
    }
    real = next;
  }
  locate("realpath", real);
  return real;
}

function isMountOrAbove(full) {
  return mounts.some(({ root }) => root === full || root.startsWith(`${full}/`));
}
