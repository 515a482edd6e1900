// Builds the component: `node build.mjs --wit <folder of the contract> --out <file.wasm>`.
//
// Needs nothing but what `npm ci --ignore-scripts` installed; makes no network request. Writes one
// line about the size to stderr.
import { componentize } from "@bytecodealliance/componentize-js";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { mergeWit } from "./build/wit.mjs";

const { values } = parseArgs({ options: { wit: { type: "string" }, out: { type: "string" } } });
if (values.wit === undefined || values.out === undefined) {
  console.error("usage: node build.mjs --wit <folder of the contract> --out <file.wasm>");
  process.exit(2);
}

const scratch = mkdtempSync(join(tmpdir(), "xpressclaw-echo-js-"));
try {
  const { component } = await componentize({
    sourcePath: fileURLToPath(new URL("src/harness.js", import.meta.url)),
    witPath: mergeWit(resolve(values.wit), join(scratch, "wit")),
    // The engine knows no `async` of a contract: its world is the one with plain functions.
    worldName: "harness-sync",
    // A harness that imports no network needs no grant, and `harness inspect` shows that it has none.
    disableFeatures: ["http", "fetch-event"],
  });
  mkdirSync(dirname(resolve(values.out)), { recursive: true });
  writeFileSync(values.out, component);
  console.error(`echo-js: component ${(component.length / 2 ** 20).toFixed(1)} MB`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
