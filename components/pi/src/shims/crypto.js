// Node's `crypto`, as far as pi uses it: random bytes and identifiers, from the host's generator.
import { Buffer } from "buffer";
import { getRandomBytes } from "wasi:random/random@0.2.12";

export function randomBytes(length) {
  return Buffer.from(getRandomBytes(length));
}

export function randomUUID() {
  const bytes = randomBytes(16);
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

export function getRandomValues(array) {
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(getRandomBytes(array.byteLength));
  return array;
}

/** From 0 up to, not including, 1. */
export function randomFraction() {
  return randomBytes(4).readUInt32LE(0) / 2 ** 32;
}

export default { randomBytes, randomUUID, getRandomValues };
