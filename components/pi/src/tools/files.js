// pi's `write` and `edit` tools, unchanged but for one thing: what a file was before is kept, so
// that the host can show the difference. The operations are pi's own hook for other file systems.
import { createEditToolDefinition } from "pi:coding-agent/core/tools/edit.js";
import { createWriteToolDefinition } from "pi:coding-agent/core/tools/write.js";
import * as fs from "../shims/fs-promises.js";
import { noteChange } from "./calls.js";

/** Larger files are changed without a difference in the report: it would be read by nobody. */
const LARGEST_DIFF_BYTES = 256 * 1024;
/** As a zero byte in text means to everyone: not text. */
const BINARY = "\0";

async function before(path) {
  try {
    return await fs.readFile(path, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
}

function operations(callId) {
  return {
    access: (path) => fs.access(path),
    mkdir: async (path) => void (await fs.mkdir(path, { recursive: true })),
    readFile: (path) => fs.readFile(path),
    writeFile: async (path, content) => {
      const old = await before(path);
      await fs.writeFile(path, content);
      const small = content.length + (old?.length ?? 0) <= LARGEST_DIFF_BYTES;
      if (small && !content.includes(BINARY) && !old?.includes(BINARY)) noteChange(callId, path, old, content);
    },
  };
}

/** The definition that `create` makes, made again for each call with operations of its own. */
export function perCall(create, cwd, options) {
  return {
    ...create(cwd, options("")),
    execute: (id, ...rest) => create(cwd, options(id)).execute(id, ...rest),
  };
}

export function fileTools(cwd) {
  const options = (id) => ({ operations: operations(id) });
  return [perCall(createWriteToolDefinition, cwd, options), perCall(createEditToolDefinition, cwd, options)];
}
