// Directories and names: everything of `fs` that does not look into a file.
import path from "path-browserify";
import { noteActivity } from "../../reactor.js";
import { fsError, guarded } from "./errors.js";
import { absolute, locate, realPath } from "./mounts.js";
import { Dirent, Stats } from "./stat.js";

/** Deeper trees are not removed: no real one is this deep, a loop would be. */
const DEEPEST_TREE = 256;

function statWith(symlinkFollow, operation, target, options) {
  noteActivity();
  try {
    const { descriptor, relative, full } = locate(operation, target);
    return new Stats(guarded(operation, full, () => descriptor.statAt({ symlinkFollow }, relative)));
  } catch (error) {
    if (options?.throwIfNoEntry === false && error.code === "ENOENT") return undefined;
    throw error;
  }
}

export const statSync = (target, options) => statWith(true, "stat", target, options);
export const lstatSync = (target, options) => statWith(false, "lstat", target, options);

export function existsSync(target) {
  try {
    statSync(target);
    return true;
  } catch {
    return false;
  }
}

/** The sandbox has no permission bits: what exists may be tried. */
export function accessSync(target) {
  statWith(true, "access", target);
}

export function readdirSync(target, options) {
  noteActivity();
  const { descriptor, relative, full } = locate("scandir", target);
  const directory = guarded("scandir", full, () =>
    descriptor.openAt({ symlinkFollow: true }, relative, { directory: true }, { read: true }),
  );
  const entries = [];
  try {
    const stream = guarded("scandir", full, () => directory.readDirectory());
    try {
      for (;;) {
        const entry = guarded("scandir", full, () => stream.readDirectoryEntry());
        if (entry === null || entry === undefined) break;
        if (entry.name !== "." && entry.name !== "..") entries.push(entry);
      }
    } finally {
      stream[Symbol.dispose]();
    }
  } finally {
    directory[Symbol.dispose]();
  }
  // The host's order depends on its file system; a fixed one makes answers repeatable.
  entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return options?.withFileTypes
    ? entries.map((entry) => new Dirent(entry.name, entry.type, full))
    : entries.map((entry) => entry.name);
}

export function mkdirSync(target, options) {
  const { descriptor, relative, full } = locate("mkdir", target);
  if (options?.recursive) {
    if (existsSync(full)) {
      if (!statSync(full).isDirectory()) throw fsError("EEXIST", "file already exists", "mkdir", full);
      return undefined;
    }
    mkdirSync(path.dirname(full), options);
  }
  guarded("mkdir", full, () => descriptor.createDirectoryAt(relative));
  return full;
}

export function unlinkSync(target) {
  const { descriptor, relative, full } = locate("unlink", target);
  guarded("unlink", full, () => descriptor.unlinkFileAt(relative));
}

export function rmdirSync(target) {
  const { descriptor, relative, full } = locate("rmdir", target);
  guarded("rmdir", full, () => descriptor.removeDirectoryAt(relative));
}

export function rmSync(target, options, depth = 0) {
  const stat = lstatSync(target, { throwIfNoEntry: !options?.force });
  if (stat === undefined) return;
  if (!stat.isDirectory()) return unlinkSync(target);
  if (!options?.recursive) throw fsError("EISDIR", "illegal operation on a directory", "rm", String(target));
  if (depth > DEEPEST_TREE) throw fsError("ELOOP", "the directory tree is too deep", "rm", String(target));
  for (const name of readdirSync(target)) rmSync(path.join(absolute(target), name), options, depth + 1);
  rmdirSync(target);
}

export function renameSync(from, to) {
  const source = locate("rename", from);
  const goal = locate("rename", to);
  guarded("rename", source.full, () =>
    source.descriptor.renameAt(source.relative, goal.descriptor, goal.relative),
  );
}

export const realpathSync = (target) => {
  noteActivity();
  return realPath(target);
};
realpathSync.native = realpathSync;
