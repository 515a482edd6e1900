// Builds the component: `node build.mjs --out <file.wasm>`. `xpressclaw harness build` calls it by
// `npm run build`. Needs nothing but what `npm install` installed; makes no network request.
import { componentize } from "@bytecodealliance/componentize-js";
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { out: { type: "string" } } });
if (values.out === undefined) {
  console.error("usage: node build.mjs --out <file.wasm>");
  process.exit(2);
}
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { component } = await componentize({
  sourcePath: here("src/harness.js"),
  witPath: here("wit"),
  // The engine knows no `async` of a contract: its world is the one with plain functions.
  worldName: "harness-sync",
  // A harness that imports no network needs no grant. For `fetch` take this line out, and ask for the
  // hosts in harness.yaml.
  disableFeatures: ["http", "fetch-event"],
});
writeFileSync(resolve(values.out), component);
