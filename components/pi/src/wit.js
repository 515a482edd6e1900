// Values as the contract wants them. Text that crosses the boundary must be well-formed Unicode:
// pi shortens lines by UTF-16 units and may cut a character in two, which the runtime would not
// survive.
import { Buffer } from "buffer";

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

/** Well-formed text. */
export const wellFormed = (value) => String(value).replace(LONE_SURROGATE, "\uFFFD");

export const textPart = (text) => ({ tag: "text", val: wellFormed(text) });

/** pi's content (text and base64 images) as the contract's parts. */
export function toParts(content) {
  const blocks = typeof content === "string" ? [{ type: "text", text: content }] : (content ?? []);
  return blocks.map((block) =>
    block.type === "image"
      ? { tag: "blob", val: { mime: block.mimeType, data: new Uint8Array(Buffer.from(block.data, "base64")) } }
      : textPart(block.text ?? ""),
  );
}

const IMAGE = /^image\//;
const READABLE = /^(text\/|application\/(json|xml|x-yaml|yaml|toml|javascript)\b)/;

/** A part that pi has no place for; the text says what to do instead. */
export class UnsupportedPart extends Error {}

/** The contract's parts as pi's prompt: one text and the images. */
export function fromParts(parts) {
  const texts = [];
  const images = [];
  for (const part of parts) {
    if (part.tag === "text") {
      texts.push(part.val);
    } else if (part.tag === "link") {
      const { uri, title } = part.val;
      texts.push(title ? `[${title}](${uri})` : uri);
    } else if (IMAGE.test(part.val.mime)) {
      images.push({ type: "image", data: Buffer.from(part.val.data).toString("base64"), mimeType: part.val.mime });
    } else if (READABLE.test(part.val.mime)) {
      texts.push(Buffer.from(part.val.data).toString("utf8"));
    } else {
      throw new UnsupportedPart(
        `pi takes text and images, not ${part.val.mime}: put the file into the workspace and name it in the prompt`,
      );
    }
  }
  return { text: texts.join("\n"), images };
}

/** A tool result's content for the model, from the contract's parts. */
export function toContent(parts) {
  const { text, images } = fromParts(parts);
  return [...(text === "" && images.length > 0 ? [] : [{ type: "text", text }]), ...images];
}
