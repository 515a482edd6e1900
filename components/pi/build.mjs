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
import { notices, withNotices } from "./build/licenses.mjs";
import { WORLD_NAME, mergeWit } from "./build/wit.mjs";

// The component is a snapshot of the engine's memory after the bundle has loaded, and what loading
// left behind in freed blocks would be a quarter of it. Blocks that are taken and given back once
// more are zero, and zeros are not stored. Fewer of the small ones: each needs an object, too.
const BLOCKS = [[1_048_576, 4], [65_536, 60], [8_192, 300], [2_048, 1_000], [1_024, 1_000]];
const ZERO_FREE_MEMORY = `
{
  const blocks = [];
  for (const [bytes, count] of ${JSON.stringify(BLOCKS)}) {
    for (let made = 0; made < count; made += 1) blocks.push(new ArrayBuffer(bytes));
  }
}
`;

const { values } = parseArgs({ options: { wit: { type: "string" }, out: { type: "string" } } });
if (values.wit === undefined || values.out === undefined) {
  console.error("usage: node build.mjs --wit <folder of the contract> --out <file.wasm>");
  process.exit(2);
}

const scratch = mkdtempSync(join(tmpdir(), "xpressclaw-pi-"));
try {
  const { text, inputs } = await bundle();
  const witPath = mergeWit(resolve(values.wit), join(scratch, "wit"));
  const built = await componentize({ witPath, jsSource: text + ZERO_FREE_MEMORY, world: WORLD_NAME });
  const component = withNotices(built.component, notices(inputs));
  mkdirSync(dirname(resolve(values.out)), { recursive: true });
  writeFileSync(values.out, component);
  const kilobytes = (bytes) => `${Math.round(bytes / 1024)} KB`;
  console.error(`pi: bundle ${kilobytes(Buffer.byteLength(text))}, component ${kilobytes(component.length)}`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
