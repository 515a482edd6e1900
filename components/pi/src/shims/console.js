// `console`, written to the agent's log: a harness has no terminal of its own.
import { write } from "xpressclaw:xclaw/log@0.1.0";

function line(values) {
  return values
    .map((value) => {
      if (typeof value === "string") return value;
      if (value instanceof Error) return value.stack ? `${value}\n${value.stack}` : String(value);
      try {
        return JSON.stringify(value) ?? String(value);
      } catch {
        return String(value);
      }
    })
    .join(" ");
}

const at = (level) => (...values) => write(level, line(values));

/** Stands in for the global `console`. */
export const log = {
  debug: at("debug"),
  error: at("error"),
  info: at("info"),
  log: at("info"),
  trace: at("trace"),
  warn: at("warn"),
};
