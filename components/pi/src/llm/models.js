// The host's models as pi's: pi computes its cost display and its compaction from them.
import { listModels } from "xpressclaw:llm/models@0.1.0";

/** pi's name for where a model comes from; also recorded in session files. */
export const PROVIDER = "xpressclaw";
export const API = "xpressclaw-llm";
const NANO = 1e9;

function fromHost(model) {
  const { price } = model;
  return {
    id: model.name,
    name: model.name,
    api: API,
    provider: PROVIDER,
    baseUrl: "",
    reasoning: model.reasoning,
    // pi offers these two only where it knows that they exist; the host lowers what a model lacks.
    thinkingLevelMap: { xhigh: "xhigh", max: "max" },
    input: model.images ? ["text", "image"] : ["text"],
    // pi counts dollars per million tokens.
    cost: {
      input: price.input / NANO,
      output: price.output / NANO,
      cacheRead: price.cached / NANO,
      cacheWrite: price.cacheWrite / NANO,
    },
    contextWindow: model.contextWindow,
    maxTokens: model.maxOutputTokens,
  };
}

/** The agent's model first, then the others it may use. */
export const availableModels = () => listModels().map(fromHost);

/** The model named `name`; the agent's own when the host does not list that name. */
export function modelNamed(models, name) {
  return models.find((model) => model.id === name) ?? models[0];
}
