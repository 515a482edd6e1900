// Reading and writing whole files and open ones. Every descriptor opened here is closed again by
// the same call, or by `closeSync`: what stays open makes the instance not forkable.
import { Buffer } from "buffer";
import { noteActivity } from "../../reactor.js";
import { fsError, guarded } from "./errors.js";
import { locate } from "./mounts.js";

/** One read of wasi:filesystem: large enough to be rare, small enough for the host's limits. */
const READ_BYTES = 1 << 20;
/** A larger file cannot be held in the component's memory besides its text. */
const LARGEST_FILE = 64 << 20;
const FOLLOW = { symlinkFollow: true };

/** What each of Node's flags means to wasi:filesystem. */
const OPENINGS = {
  r: [{}, { read: true }],
  "r+": [{}, { read: true, write: true }],
  w: [{ create: true, truncate: true }, { write: true }],
  wx: [{ create: true, exclusive: true }, { write: true }],
  "w+": [{ create: true, truncate: true }, { read: true, write: true }],
  a: [{ create: true }, { write: true }],
  ax: [{ create: true, exclusive: true }, { write: true }],
};

const open = new Map();
let nextNumber = 3;

function openDescriptor(target, flag, operation) {
  const opening = OPENINGS[flag];
  if (opening === undefined) throw fsError("EINVAL", `the flag ${flag} is not supported`, operation, String(target));
  noteActivity();
  const { descriptor, relative, full } = locate(operation, target);
  const opened = guarded(operation, full, () => descriptor.openAt(FOLLOW, relative, ...opening));
  return { descriptor: opened, full, append: flag.startsWith("a"), position: 0 };
}

function endOf(file) {
  return guarded("fstat", file.full, () => file.descriptor.stat()).size;
}

function readAll(file) {
  if (guarded("read", file.full, () => file.descriptor.stat()).type === "directory") {
    throw fsError("EISDIR", "illegal operation on a directory", "read", file.full);
  }
  const chunks = [];
  let total = 0;
  for (;;) {
    const [bytes, end] = guarded("read", file.full, () => file.descriptor.read(READ_BYTES, total));
    total += bytes.length;
    if (total > LARGEST_FILE) {
      throw fsError("EFBIG", `a file over ${LARGEST_FILE} bytes cannot be read whole`, "read", file.full);
    }
    chunks.push(Buffer.from(bytes));
    if (end || bytes.length === 0) return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
  }
}

function writeAll(file, data) {
  const bytes = typeof data === "string" ? Buffer.from(data, "utf8") : Buffer.from(data);
  let at = file.append ? endOf(file) : file.position;
  for (let sent = 0; sent < bytes.length; ) {
    const piece = bytes.subarray(sent, sent + READ_BYTES);
    const written = guarded("write", file.full, () => file.descriptor.write(new Uint8Array(piece), at));
    if (written === 0) throw fsError("EIO", "nothing was written", "write", file.full);
    sent += written;
    at += written;
  }
  file.position = at;
}

function withFile(target, flag, operation, action) {
  if (typeof target === "number") return action(numbered(target));
  const file = openDescriptor(target, flag, operation);
  try {
    return action(file);
  } finally {
    file.descriptor[Symbol.dispose]();
  }
}

function numbered(number) {
  const file = open.get(number);
  if (file === undefined) throw fsError("EBADF", "bad file descriptor", "read");
  return file;
}

const encodingOf = (options) => (typeof options === "string" ? options : options?.encoding);
const flagOf = (options, otherwise) => (typeof options === "object" && options?.flag) || otherwise;

export function readFileSync(target, options) {
  const bytes = withFile(target, flagOf(options, "r"), "open", readAll);
  const encoding = encodingOf(options);
  return encoding ? bytes.toString(encoding) : bytes;
}

export function writeFileSync(target, data, options) {
  withFile(target, flagOf(options, "w"), "open", (file) => writeAll(file, data));
}

export function appendFileSync(target, data, options) {
  withFile(target, flagOf(options, "a"), "open", (file) => writeAll(file, data));
}

export function openSync(target, flag = "r") {
  const number = nextNumber++;
  open.set(number, openDescriptor(target, flag, "open"));
  return number;
}

export function closeSync(number) {
  numbered(number).descriptor[Symbol.dispose]();
  open.delete(number);
}

export function readSync(number, buffer, offset = 0, length = buffer.byteLength - offset, position = null) {
  noteActivity();
  const file = numbered(number);
  const at = position ?? file.position;
  const [bytes] = guarded("read", file.full, () => file.descriptor.read(length, at));
  buffer.set(bytes, offset);
  if (position === null) file.position = at + bytes.length;
  return bytes.length;
}

export function writeSync(number, data) {
  writeAll(numbered(number), data);
}
