// pi's context as the contract's request.
import { collapseSystemMessages, getCurrentTools, getSystemMessageText } from "@earendil-works/pi-ai";
import { transformMessages } from "pi:ai/api/transform-messages.js";
import { estimateContextTokens } from "pi:ai/utils/estimate.js";
import { textPart, toParts, wellFormed } from "../wit.js";

/** What an estimate of tokens may be wrong by; pi's own amount, and less of a small window. */
const SAFETY_TOKENS = 4_096;
const SAFETY_SHARE = 1 / 16;
/** With less room than this an answer is of no use: the model shall refuse, so that pi compacts. */
const LEAST_OUTPUT_TOKENS = 256;

/** The largest answer that fits the window beside `context`, up to what was asked for. */
function outputLimit(model, context, wanted = model.maxTokens) {
  if (model.contextWindow <= 0) return wanted;
  const safety = Math.min(SAFETY_TOKENS, model.contextWindow * SAFETY_SHARE);
  const room = model.contextWindow - estimateContextTokens(context).tokens - safety;
  return Math.floor(Math.min(wanted, Math.max(LEAST_OUTPUT_TOKENS, room)));
}

/**
 * The request for `context` (a transcript: system messages carry prompt and tools). pi's own
 * transformation comes first: it answers orphaned tool calls, drops failed answers and takes images
 * out where the model cannot see.
 */
export function toRequest(model, context, options) {
  const { messages } = collapseSystemMessages(context);
  const head = messages[0]?.role === "system" ? messages[0] : undefined;
  const system = head === undefined ? "" : getSystemMessageText(head);
  return {
    model: model.id,
    system: system === "" ? null : wellFormed(system),
    messages: transformMessages(head === undefined ? messages : messages.slice(1), model).flatMap(toMessage),
    tools: getCurrentTools(context.messages).map((tool) => ({
      name: tool.name,
      description: wellFormed(tool.description),
      parameters: JSON.stringify(tool.parameters),
    })),
    toolChoice: { tag: "auto" },
    maxOutputTokens: outputLimit(model, context, options.maxTokens),
    temperature: options.temperature ?? null,
    effort: model.reasoning ? (options.reasoning ?? "none") : null,
    outputSchema: null,
    stop: [],
    extra: null,
  };
}

function toMessage(message) {
  switch (message.role) {
    case "user":
      return [{ tag: "user", val: toParts(message.content) }];
    case "assistant": {
      const parts = message.content.map(toAssistantPart);
      return parts.length === 0 ? [] : [{ tag: "assistant", val: parts }];
    }
    case "toolResult": {
      const content = toParts(message.content);
      return [
        {
          tag: "tool",
          val: {
            callId: message.toolCallId,
            content: content.length === 0 ? [textPart("(no output)")] : content,
            failed: message.isError,
          },
        },
      ];
    }
    default:
      return [];
  }
}

function toAssistantPart(block) {
  switch (block.type) {
    case "thinking":
      return {
        tag: "thinking",
        val: { text: wellFormed(block.thinking), signature: block.thinkingSignature ?? null },
      };
    case "toolCall":
      return {
        tag: "tool-call",
        val: {
          id: block.id,
          name: block.name,
          arguments: wellFormed(JSON.stringify(block.arguments)),
          signature: block.thoughtSignature ?? null,
        },
      };
    default:
      return textPart(block.text);
  }
}
