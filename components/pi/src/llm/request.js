// pi's context as the contract's request.
import { collapseSystemMessages, getCurrentTools, getSystemMessageText } from "@earendil-works/pi-ai";
import { buildBaseOptions } from "pi:ai/api/simple-options.js";
import { transformMessages } from "pi:ai/api/transform-messages.js";
import { textPart, toParts, wellFormed } from "../wit.js";

/**
 * The request for `context` (a transcript: system messages carry prompt and tools). pi's own
 * transformation comes first: it answers orphaned tool calls, drops failed answers and takes images
 * out where the model cannot see.
 */
export function toRequest(model, context, options) {
  const { messages } = collapseSystemMessages(context);
  const head = messages[0]?.role === "system" ? messages[0] : undefined;
  const system = head === undefined ? "" : getSystemMessageText(head);
  const { maxTokens } = buildBaseOptions(model, context, options);
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
    maxOutputTokens: maxTokens > 0 ? Math.floor(maxTokens) : null,
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
