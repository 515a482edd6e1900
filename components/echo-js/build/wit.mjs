// The contract as the one folder that componentize-js takes: `xpressclaw:harness` at its root, every
// package that it names below `deps/`. Called by `build.mjs`; changes no file of the contract.
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";

const ROOT = "harness";
const NAMED = ["base", "llm", "xclaw", "tools", "machine", "deps"];

/** Copies the contract in `wit` to `out`, where it may not be yet. */
export function mergeWit(wit, out) {
  cpSync(join(wit, ROOT), out, { recursive: true });
  mkdirSync(join(out, "deps"));
  // WASI's packages are one file each, and lie beside the folders of the others.
  for (const name of NAMED) {
    const to = name === "deps" ? join(out, "deps") : join(out, "deps", name);
    cpSync(join(wit, name), to, { recursive: true });
  }
  return out;
}
