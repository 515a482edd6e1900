// pi's session file on disk.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** The entries of the only session file of `host`. */
export function entries(host) {
  const directory = join(host.state, "pi/sessions");
  const files = readdirSync(directory);
  if (files.length !== 1) throw new Error(`expected one session file, found ${files}`);
  return readFileSync(join(directory, files[0]), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}
