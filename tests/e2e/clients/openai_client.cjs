// The same as openai_client.py with OpenAI's own client for JavaScript.
'use strict';

const { readFileSync } = require('node:fs');
const { OpenAI } = require('openai');

async function answers(client, how, request) {
  if (how === 'whole') {
    const answer = await client.chat.completions.create(request);
    return [[answer], answer];
  }
  const pieces = [];
  if (how === 'raw') {
    for await (const chunk of await client.chat.completions.create({ ...request, stream: true })) {
      pieces.push(chunk);
    }
    return [pieces, null];
  }
  const stream = client.chat.completions.stream(request);
  for await (const chunk of stream) pieces.push(chunk.object);
  return [pieces, await stream.finalChatCompletion()];
}

async function converse(client, how, request, tools, seen) {
  for (;;) {
    const [pieces, answer] = await answers(client, how, request);
    seen.pieces.push(...pieces);
    if (answer === null) return;
    seen.answers.push(answer);
    const { message } = answer.choices[0];
    if (!message.tool_calls?.length) return;
    request.messages.push(message);
    for (const call of message.tool_calls) {
      const content = tools[call.function.name];
      request.messages.push({ role: 'tool', tool_call_id: call.id, content });
    }
  }
}

async function main() {
  const task = JSON.parse(readFileSync(0, 'utf8'));
  const client = new OpenAI({ baseURL: `${task.url}/v1`, apiKey: task.token });
  const seen = { pieces: [], answers: [], error: null };
  try {
    if (task.how === 'models') {
      for await (const model of client.models.list()) seen.answers.push(model);
    } else {
      await converse(client, task.how, task.request, task.tools, seen);
    }
  } catch (error) {
    if (!(error instanceof OpenAI.APIError)) throw error;
    seen.error = {
      class: error.constructor.name,
      status: error.status ?? null,
      code: error.code ?? null,
      type: error.type ?? null,
      retry_after: error.headers?.get('retry-after') ?? null,
      message: error.message,
    };
  }
  process.stdout.write(JSON.stringify(seen));
}

main();
