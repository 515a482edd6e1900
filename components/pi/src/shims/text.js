// `TextEncoder` and `TextDecoder` for UTF-8, the only encoding that pi names.
import { Buffer } from "buffer";
import { StringDecoder } from "string_decoder";

const UTF8 = /^utf-?8$/i;

export class TextEncoder {
  encoding = "utf-8";

  encode(text = "") {
    const bytes = Buffer.from(String(text), "utf8");
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}

export class TextDecoder {
  encoding = "utf-8";
  #pending = new StringDecoder("utf8");

  constructor(label = "utf-8") {
    if (!UTF8.test(label)) throw new RangeError(`the encoding ${label} is not supported`);
  }

  decode(input, options) {
    const bytes = input === undefined ? Buffer.alloc(0) : Buffer.from(input.buffer ?? input, input.byteOffset, input.byteLength);
    const text = this.#pending.write(bytes);
    if (options?.stream) return text;
    const rest = this.#pending.end();
    this.#pending = new StringDecoder("utf8");
    return text + rest;
  }
}
