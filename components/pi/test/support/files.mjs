// wasi:filesystem on a directory of the machine that runs the tests.
import * as fs from "node:fs";
import { join } from "node:path";
import { failure } from "./handles.mjs";

const CODES = {
  EACCES: "access",
  EEXIST: "exist",
  EISDIR: "is-directory",
  ELOOP: "loop",
  ENOENT: "no-entry",
  ENOTDIR: "not-directory",
  ENOTEMPTY: "not-empty",
};

function wasi(action) {
  try {
    return action();
  } catch (error) {
    throw failure(CODES[error.code] ?? "io");
  }
}

const time = (milliseconds) => ({
  seconds: Math.floor(milliseconds / 1000),
  nanoseconds: Math.floor((milliseconds % 1000) * 1e6),
});

function typeOf(entry) {
  if (entry.isDirectory()) return "directory";
  if (entry.isSymbolicLink()) return "symbolic-link";
  return entry.isFile() ? "regular-file" : "unknown";
}

function describe(stat) {
  return {
    type: typeOf(stat),
    linkCount: stat.nlink,
    size: stat.size,
    dataAccessTimestamp: time(stat.atimeMs),
    dataModificationTimestamp: time(stat.mtimeMs),
    statusChangeTimestamp: null,
  };
}

function inside(path) {
  if (path.startsWith("/") || path.split("/").includes("..")) throw failure("not-permitted");
  return path;
}

function flagsOf({ create, exclusive, truncate }, { write }) {
  const { O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC } = fs.constants;
  let flags = write ? O_RDWR : O_RDONLY;
  if (create) flags |= O_CREAT;
  if (exclusive) flags |= O_EXCL;
  if (truncate) flags |= O_TRUNC;
  return flags;
}

/** A descriptor for the directory `root`, with everything that opens from it. */
export function directory(handles, root) {
  const at = (path) => join(root, inside(path));
  return handles.open("directory", {
    createDirectoryAt: (path) => wasi(() => fs.mkdirSync(at(path))),
    openAt: (_follow, path, opening, flags) =>
      opening.directory ? directory(handles, at(path)) : file(handles, at(path), flagsOf(opening, flags)),
    readDirectory: () => {
      const entries = wasi(() => fs.readdirSync(root, { withFileTypes: true }));
      return handles.open("directory-stream", {
        readDirectoryEntry: () => {
          const entry = entries.shift();
          return entry === undefined ? null : { type: typeOf(entry), name: entry.name };
        },
      });
    },
    readlinkAt: (path) => wasi(() => fs.readlinkSync(at(path))),
    removeDirectoryAt: (path) => wasi(() => fs.rmdirSync(at(path))),
    renameAt: (from, _descriptor, to) => wasi(() => fs.renameSync(at(from), at(to))),
    stat: () => wasi(() => describe(fs.statSync(root))),
    statAt: ({ symlinkFollow }, path) =>
      wasi(() => describe(symlinkFollow ? fs.statSync(at(path)) : fs.lstatSync(at(path)))),
    unlinkFileAt: (path) => wasi(() => fs.unlinkSync(at(path))),
  });
}

/** Smaller than a page, so that loops over partial reads and writes are tested. */
const PIECE = 1000;

function file(handles, path, flags) {
  const number = wasi(() => fs.openSync(path, flags));
  const methods = {
    read: (length, offset) =>
      wasi(() => {
        const bytes = new Uint8Array(Math.min(length, PIECE));
        const count = fs.readSync(number, bytes, 0, bytes.length, offset);
        return [bytes.slice(0, count), count === 0];
      }),
    stat: () => wasi(() => describe(fs.fstatSync(number))),
    write: (bytes, offset) => wasi(() => fs.writeSync(number, bytes, 0, Math.min(bytes.length, PIECE), offset)),
  };
  return handles.open("file", methods, () => fs.closeSync(number));
}
