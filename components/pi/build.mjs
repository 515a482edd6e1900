// Builds the component: `node build.mjs --wit <folder of the contract> --out <file.wasm>`.
//
// Needs nothing but what `npm ci --ignore-scripts` installed; makes no network request. Writes one
// line about sizes to stderr.
import { componentize } from "componentize-qjs";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { bundle } from "./build/bundle.mjs";
import { WORLD_NAME, mergeWit } from "./build/wit.mjs";

const { values } = parseArgs({ options: { wit: { type: "string" }, out: { type: "string" } } });
if (values.wit === undefined || values.out === undefined) {
  console.error("usage: node build.mjs --wit <folder of the contract> --out <file.wasm>");
  process.exit(2);
}

const scratch = mkdtempSync(join(tmpdir(), "xpressclaw-pi-"));
try {
  const { text } = await bundle();
  const witPath = mergeWit(resolve(values.wit), join(scratch, "wit"));
  const { component } = await componentize({ witPath, jsSource: text, world: WORLD_NAME });
  mkdirSync(dirname(resolve(values.out)), { recursive: true });
  writeFileSync(values.out, component);
  const kilobytes = (bytes) => `${Math.round(bytes / 1024)} KB`;
  console.error(`pi: bundle ${kilobytes(Buffer.byteLength(text))}, component ${kilobytes(component.length)}`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
