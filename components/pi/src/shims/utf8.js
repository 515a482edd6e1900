// Makes `Buffer` fast where QuickJS is slow. The npm package converts byte by byte, in JavaScript;
// the engine's own functions do the same in C, a hundred times faster. The way between text and
// bytes is base64, the only one that the engine has. Imported by `globals.js` for its effect.
import { Buffer } from "buffer";

const UTF8 = /^utf-?8$/i;
const BEYOND_ASCII = /[^\x00-\x7f]/;

const isUtf8 = (encoding) => encoding === undefined || encoding === null || UTF8.test(encoding);

/** One character per UTF-8 byte; `undefined` for text that is not well-formed. */
function binaryOf(text) {
  if (!BEYOND_ASCII.test(text)) return text;
  try {
    return unescape(encodeURIComponent(text));
  } catch {
    return undefined;
  }
}

function wrap(bytes) {
  return original.from.call(Buffer, bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const original = {
  byteLength: Buffer.byteLength,
  from: Buffer.from,
  toString: Buffer.prototype.toString,
};

Buffer.prototype.toString = function toString(encoding, start, end) {
  const bytes = start === undefined && end === undefined ? this : this.subarray(start ?? 0, end ?? this.length);
  if (encoding === "base64") return bytes.toBase64();
  if (!isUtf8(encoding)) return original.toString.call(bytes, encoding);
  const text = atob(bytes.toBase64());
  if (!BEYOND_ASCII.test(text)) return text;
  try {
    return decodeURIComponent(escape(text));
  } catch {
    // Bytes that are not UTF-8: the package knows where replacement characters go.
    return original.toString.call(bytes, encoding);
  }
};

Buffer.byteLength = function byteLength(value, encoding) {
  const binary = typeof value === "string" && isUtf8(encoding) ? binaryOf(value) : undefined;
  return binary === undefined ? original.byteLength(value, encoding) : binary.length;
};

Buffer.from = function from(value, encoding, length) {
  if (typeof value !== "string") return original.from.call(Buffer, value, encoding, length);
  if (encoding === "base64") {
    try {
      return wrap(Uint8Array.fromBase64(value));
    } catch {
      // The package takes sloppy base64, the engine does not.
    }
  }
  const binary = isUtf8(encoding) ? binaryOf(value) : undefined;
  return binary === undefined ? original.from.call(Buffer, value, encoding) : wrap(Uint8Array.fromBase64(btoa(binary)));
};
