// The licences of everything that the component contains, as a custom section of the component:
// they ask to travel with every copy, and a component is one file.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const SECTION = "third-party-licenses";
const CUSTOM_SECTION_ID = 0;
const NOTICE = /^(licen[cs]e|copying|notice)(\.|$)/i;
/** Brings the engine and its bindings; not among the bundle's inputs. */
const RUNTIME = "node_modules/componentize-qjs";

/** `node_modules/<name>` of a file inside a package, or `undefined`. */
function packageOf(file) {
  const at = file.lastIndexOf("node_modules/");
  if (at === -1) return undefined;
  const [scope, name] = file.slice(at + "node_modules/".length).split("/");
  return file.slice(0, at) + `node_modules/${scope.startsWith("@") ? `${scope}/${name}` : scope}`;
}

/** The notices of the packages whose files are `inputs`, relative to the component's folder. */
export function notices(inputs) {
  const used = new Set([RUNTIME]);
  for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
    const found = bytesInOutput > 0 ? packageOf(file) : undefined;
    if (found !== undefined) used.add(found);
  }
  return [...used].sort().map(noticeOf).join("\n");
}

function noticeOf(folder) {
  const path = join(ROOT, folder);
  const { name, version, license, author } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
  const files = existsSync(path) ? readdirSync(path).filter((file) => NOTICE.test(file)).sort() : [];
  const texts = files.map((file) => readFileSync(join(path, file), "utf8").trim());
  const by = author === undefined ? "" : `, by ${author.name ?? author}`;
  return [`${"=".repeat(72)}`, `${name} ${version}: ${license}${by}`, "", ...texts, ""].join("\n");
}

/** `component` with `text` as its last section. */
export function withNotices(component, text) {
  const name = Buffer.from(SECTION);
  const body = Buffer.concat([leb128(name.length), name, Buffer.from(text)]);
  return Buffer.concat([component, Buffer.from([CUSTOM_SECTION_ID]), leb128(body.length), body]);
}

/** An unsigned number as WebAssembly writes it. */
function leb128(number) {
  const bytes = [];
  for (let rest = number; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}
