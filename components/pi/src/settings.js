// The agent's settings for pi: a part of pi's own `settings.json`, with pi's names and meanings.
//
// Called by `start`. An unknown key or a wrong type is an error that names the key: a setting that
// is silently ignored looks like one that works.

const BOOLEAN = { is: (value) => typeof value === "boolean", what: "true or false" };
const TEXT = { is: (value) => typeof value === "string", what: "text" };
const COUNT = { is: (value) => Number.isSafeInteger(value) && value >= 0, what: "a whole number, not negative" };
const NAMES = {
  is: (value) => Array.isArray(value) && value.every((name) => typeof name === "string"),
  what: "a list of names",
};
const oneOf = (...choices) => ({ is: (value) => choices.includes(value), what: `one of ${choices.join(", ")}` });

const SHAPE = {
  compaction: { enabled: BOOLEAN, reserveTokens: COUNT, keepRecentTokens: COUNT },
  defaultThinkingLevel: oneOf("off", "minimal", "low", "medium", "high", "xhigh", "max"),
  defaultTools: NAMES,
  followUpMode: oneOf("all", "one-at-a-time"),
  images: { blockImages: BOOLEAN },
  retry: { enabled: BOOLEAN, maxRetries: COUNT, baseDelayMs: COUNT },
  shellCommandPrefix: TEXT,
  steeringMode: oneOf("all", "one-at-a-time"),
};

/** pi's own amounts; they suit windows of 100,000 tokens and more. */
const RESERVE_TOKENS = 16_384;
const KEEP_RECENT_TOKENS = 20_000;
/** The share of a smaller window that either may take, so that there is room left to work in. */
const LARGEST_SHARE = 0.25;

/** The text says which setting is wrong and how to write it. */
export class InvalidSettings extends Error {}

/** Reads the JSON object `text` into pi's settings for a model with `contextWindow` tokens. */
export function readSettings(text, contextWindow) {
  let given;
  try {
    given = JSON.parse(text === "" ? "{}" : text);
  } catch (error) {
    throw new InvalidSettings(`settings must be a JSON object: ${error.message}`);
  }
  check(given, SHAPE, "settings");
  const share = Math.floor(contextWindow * LARGEST_SHARE);
  return {
    ...given,
    compaction: {
      reserveTokens: Math.min(RESERVE_TOKENS, share),
      keepRecentTokens: Math.min(KEEP_RECENT_TOKENS, share),
      ...given.compaction,
    },
    // There is no image library in the component: pictures go to the model as they are.
    images: { ...given.images, autoResize: false },
  };
}

function check(value, shape, name) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InvalidSettings(`${name} must be a JSON object`);
  }
  for (const [key, item] of Object.entries(value)) {
    const at = name === "settings" ? key : `${name}.${key}`;
    const rule = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (rule === undefined) {
      throw new InvalidSettings(`unknown setting ${at} for pi: use one of ${Object.keys(shape).join(", ")}`);
    }
    if (typeof rule.is !== "function") check(item, rule, at);
    else if (!rule.is(item)) throw new InvalidSettings(`setting ${at} must be ${rule.what}`);
  }
}
