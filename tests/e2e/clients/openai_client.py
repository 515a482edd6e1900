"""What a program with OpenAI's own client sees: a conversation in, JSON out (see tests/e2e/src/client.rs)."""

import json
import sys

import openai


def answers(client, how, request):
    """One request: what came, and the message that the client made of it."""
    if how == "whole":
        answer = client.chat.completions.create(**request)
        return [answer], answer
    if how == "raw":
        return list(client.chat.completions.create(**request, stream=True)), None
    with client.chat.completions.stream(**request) as stream:
        events = [event.type for event in stream]
        return events, stream.get_final_completion()


def converse(client, how, request, tools, seen):
    """Asks, runs the tools that are called, and asks again until no tool is."""
    while True:
        pieces, answer = answers(client, how, request)
        seen["pieces"] += [p if isinstance(p, str) else p.model_dump(exclude_unset=True) for p in pieces]
        if answer is None:
            return
        seen["answers"].append(answer.model_dump(mode="json"))
        message = answer.choices[0].message
        if not message.tool_calls:
            return
        request["messages"].append(message.model_dump(exclude_unset=True, exclude={"parsed"}))
        for call in message.tool_calls:
            content = tools[call.function.name]
            request["messages"].append({"role": "tool", "tool_call_id": call.id, "content": content})


def main():
    task = json.load(sys.stdin)
    client = openai.OpenAI(base_url=task["url"] + "/v1", api_key=task["token"])
    seen = {"pieces": [], "answers": [], "error": None}
    try:
        if task["how"] == "models":
            seen["answers"] = [model.model_dump(mode="json") for model in client.models.list()]
        else:
            converse(client, task["how"], task["request"], task["tools"], seen)
    except openai.APIStatusError as error:
        seen["error"] = {
            "class": type(error).__name__,
            "status": error.status_code,
            "code": error.code,
            "type": error.type,
            "retry_after": error.response.headers.get("retry-after"),
            "message": error.message,
        }
    except openai.APIError as error:
        seen["error"] = {
            "class": type(error).__name__, "status": None, "code": error.code, "type": error.type,
            "retry_after": None, "message": error.message,
        }
    json.dump(seen, sys.stdout)


main()
