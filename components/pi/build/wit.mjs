// Merges the contract's packages into the one folder that componentize-qjs takes.
//
// Called by `build.mjs`. The root package is `xpressclaw:harness`; every other package becomes a
// folder under `deps/`. It adds one world, `pi`: the `harness` world and the two WASI packages that
// JavaScript names itself. It never changes a file of the contract.
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT_PACKAGE = "harness";
const PACKAGES = ["base", "llm", "xclaw", "tools", "machine"];
const WORLD = `package xpressclaw:harness@0.1.0;

world pi {
  include harness;
  import wasi:filesystem/preopens@0.2.12;
  import wasi:filesystem/types@0.2.12;
  import wasi:random/random@0.2.12;
}
`;

/** The world that the component is built against. */
export const WORLD_NAME = "pi";

/** Fills `out` from the contract in `wit` and returns `out`. */
export function mergeWit(wit, out) {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(join(out, "deps"), { recursive: true });
  for (const name of [ROOT_PACKAGE, ...PACKAGES]) {
    if (!existsSync(join(wit, name))) {
      throw new Error(`no WIT package ${name} in ${wit}: pass the folder of the contract with --wit`);
    }
  }
  const copyWit = (from, to) => {
    mkdirSync(to, { recursive: true });
    for (const file of readdirSync(from).filter((name) => name.endsWith(".wit")).sort()) {
      cpSync(join(from, file), join(to, file));
    }
  };
  copyWit(join(wit, ROOT_PACKAGE), out);
  writeFileSync(join(out, "pi.wit"), WORLD);
  for (const name of PACKAGES) copyWit(join(wit, name), join(out, "deps", name));
  copyWit(join(wit, "deps"), join(out, "deps"));
  return out;
}
