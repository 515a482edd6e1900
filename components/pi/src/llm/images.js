// The setting `images.blockImages`: no picture leaves, whatever its source.

const NOTE = "Image reading is disabled.";

export function withoutImages(messages) {
  return messages.map((message) => {
    if (!Array.isArray(message.content) || !message.content.some((block) => block.type === "image")) return message;
    const kept = message.content.filter((block) => block.type !== "image");
    return { ...message, content: [...kept, { type: "text", text: NOTE }] };
  });
}
