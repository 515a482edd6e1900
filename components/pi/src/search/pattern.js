// A ripgrep pattern as a JavaScript expression. The two languages agree on nearly all that is used
// in searches; the differences that do occur are translated here, all else is an error that says so.

const SPECIAL = /[.*+?^${}()|[\]\\]/g;
const LEADING_FLAGS = /^\(\?([imsux]+)\)/;
const TRANSLATIONS = [
  ["[:alpha:]", "a-zA-Z"],
  ["[:digit:]", "0-9"],
  ["[:alnum:]", "a-zA-Z0-9"],
  ["[:upper:]", "A-Z"],
  ["[:lower:]", "a-z"],
  ["[:space:]", "\\s"],
  ["[:word:]", "\\w"],
  ["\\A", "^"],
  ["\\z", "$"],
];

/** The pattern is not valid; the text is for the model. */
export class InvalidPattern extends Error {}

/** Matches within one line or, with the `m` flag that it always has, in the lines of a text. */
export function toRegExp(pattern, { ignoreCase, literal }) {
  let source = literal ? pattern.replace(SPECIAL, "\\$&") : pattern;
  const flags = new Set(["m"]);
  if (ignoreCase) flags.add("i");
  const leading = literal ? null : LEADING_FLAGS.exec(source);
  if (leading !== null) {
    source = source.slice(leading[0].length);
    if (leading[1].includes("i")) flags.add("i");
    if (leading[1].includes("s")) flags.add("s");
  }
  if (!literal) for (const [from, to] of TRANSLATIONS) source = source.replaceAll(from, to);
  try {
    return new RegExp(source, [...flags, "u"].join(""));
  } catch {
    // The Unicode mode refuses needless escapes, which models like to write.
  }
  try {
    return new RegExp(source, [...flags].join(""));
  } catch (error) {
    throw new InvalidPattern(`regex parse error: ${error.message}; set literal to search for the text as it is`);
  }
}
