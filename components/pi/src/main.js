// pi as an xpressclaw harness: the component's exports `start` and `turn`.
//
// Nothing may be thrown out of them but the contract's error, or the instance would trap.
import "./shims/globals.js";
import { inputReady } from "xpressclaw:harness/turn@0.1.0";
import { announceCommands, runCommand } from "./commands.js";
import { reporter } from "./events.js";
import { Input } from "./input.js";
import { verdictOf } from "./llm/failure.js";
import { availableModels, modelNamed } from "./llm/models.js";
import { beginTurn, runUntilSettled } from "./reactor.js";
import { createSession, replaceTools } from "./session.js";
import { InvalidSettings, readSettings } from "./settings.js";
import { mkdirSync } from "./shims/fs.js";
import { openMounts } from "./shims/fs/mounts.js";
import { tmpdir } from "./shims/os.js";
import { setWorkingDirectory } from "./shims/process.js";
import { allTools, hostToolsKey } from "./tools/all.js";
import { UnsupportedPart, fromParts, wellFormed } from "./wit.js";

const FEATURES = { images: true, steer: true };

/** Everything that lives as long as the instance. */
let harness;

function contractError(error) {
  if (error !== null && typeof error === "object" && typeof error.tag === "string") return error;
  const text = wellFormed(error instanceof Error ? error.message : String(error));
  const tag = error instanceof InvalidSettings || error instanceof UnsupportedPart ? "invalid" : "other";
  return { tag, val: text };
}

async function guarded(action) {
  try {
    return await action();
  } catch (error) {
    if (error instanceof Error && error.stack) console.debug(error);
    throw contractError(error);
  }
}

async function begin(config) {
  openMounts();
  const inputWaitable = inputReady();
  setWorkingDirectory(config.workspace);
  const models = availableModels();
  const model = modelNamed(models, config.model);
  if (model === undefined) {
    throw { tag: "invalid", val: "the agent has no model: name one in its configuration" };
  }
  const settings = readSettings(config.settings, model.contextWindow);
  mkdirSync(tmpdir(), { recursive: true });
  const toolsKey = hostToolsKey();
  const tools = allTools(config.workspace, settings);
  const session = createSession({ config, settings, model, models: () => harness.models, tools });
  const input = new Input(session);
  harness = { config, settings, models, session, input, inputWaitable, toolsKey, last: undefined, announced: false };
  session.subscribe(reporter(config.workspace));
  session.agent.subscribe(async (event) => {
    if (event.type === "message_end" && event.message.role === "assistant") harness.last = event.message;
    // Before pi looks into its queues: after tools, and before it would end.
    if (event.type === "tool_execution_end" || event.type === "turn_end") await input.queued();
  });
  return FEATURES;
}

/** What the host offers may change between turns: prices, context windows, tools. */
function refresh() {
  const { config, session, settings } = harness;
  harness.models = availableModels();
  const { model } = session.agent.state;
  Object.assign(model, modelNamed(harness.models, model.id));
  const toolsKey = hostToolsKey();
  if (toolsKey !== harness.toolsKey) replaceTools(session, allTools(config.workspace, settings));
  harness.toolsKey = toolsKey;
}

async function converse(parts) {
  const { session, input } = harness;
  const { text, images } = fromParts(parts);
  if (await runCommand(session, text)) return;
  await session.prompt(text, { images: images.length > 0 ? images : undefined });
  // Input may arrive between pi's last look and its end.
  for (;;) {
    await input.queued();
    if (input.cancelled || !session.agent.hasQueuedMessages()) return;
    await session.agent.continue();
  }
}

function outcome() {
  const { input, last } = harness;
  if (input.cancelled) return "cancelled";
  switch (last?.stopReason) {
    case "error": {
      const verdict = verdictOf(last);
      throw { tag: verdict?.outcome ?? "other", val: wellFormed(last.errorMessage ?? "the model call failed") };
    }
    case "aborted":
      return "cancelled";
    case "length":
      return "max-tokens";
    default:
      return last?.rawStopReason === "refusal" ? "refusal" : "end-turn";
  }
}

/** The contract's `agent`. */
export const agent = {
  start: (config) => guarded(() => begin(config)),
  turn: (prompt) =>
    guarded(async () => {
      if (harness === undefined) throw { tag: "invalid", val: "start was not called" };
      const { input, inputWaitable, session } = harness;
      beginTurn();
      input.begin();
      harness.last = undefined;
      refresh();
      if (!harness.announced) announceCommands(session);
      harness.announced = true;
      await runUntilSettled(converse(prompt), inputWaitable, input.take);
      return outcome();
    }),
};
