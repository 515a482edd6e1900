"""The same as openai_client.py with Anthropic's own client."""

import json
import sys

import anthropic


def answers(client, how, request):
    if how == "whole":
        answer = client.messages.create(**request)
        return [answer], answer
    if how == "raw":
        return list(client.messages.create(**request, stream=True)), None
    with client.messages.stream(**request) as stream:
        events = [event.type for event in stream]
        return events, stream.get_final_message()


def converse(client, how, request, tools, seen):
    while True:
        pieces, answer = answers(client, how, request)
        seen["pieces"] += [p if isinstance(p, str) else p.model_dump(exclude_unset=True) for p in pieces]
        if answer is None:
            return
        seen["answers"].append(answer.model_dump(mode="json"))
        calls = [block for block in answer.content if block.type == "tool_use"]
        if not calls:
            return
        request["messages"].append({"role": "assistant", "content": answer.content})
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": tools[call.name]} for call in calls
        ]
        request["messages"].append({"role": "user", "content": results})


def main():
    task = json.load(sys.stdin)
    client = anthropic.Anthropic(base_url=task["url"], api_key=task["token"])
    seen = {"pieces": [], "answers": [], "error": None}
    try:
        if task["how"] == "models":
            seen["answers"] = [model.model_dump(mode="json") for model in client.models.list()]
        else:
            converse(client, task["how"], task["request"], task["tools"], seen)
    except anthropic.APIError as error:
        body = error.body if isinstance(error.body, dict) else {}
        response = getattr(error, "response", None)
        seen["error"] = {
            "class": type(error).__name__,
            "status": getattr(error, "status_code", None),
            "code": None,
            "type": body.get("error", {}).get("type"),
            "retry_after": response.headers.get("retry-after") if response is not None else None,
            "message": body.get("error", {}).get("message") or error.message,
        }
    json.dump(seen, sys.stdout)


main()
