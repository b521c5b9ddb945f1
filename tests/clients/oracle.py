"""What the model behind the programs answers: a tool call, a document, a vector, or a greeting."""

import json
from typing import Any

GREETING = "Hello from the oracle."
DOCUMENT = '{"city": "Paris", "celsius": 21}'
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'},
}
USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}


def oracle(path: str, request: dict[str, Any]) -> tuple[int, str, bytes]:
    if path.endswith("/embeddings"):
        return whole(embeddings(request["input"]))
    message = answer_to(request)
    if request.get("stream"):
        return 200, "text/event-stream", events(message)
    reason = "tool_calls" if "tool_calls" in message else "stop"
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return whole({"choices": [choice], "usage": USAGE})


def answer_to(request: dict[str, Any]) -> dict[str, Any]:
    *_, last = request["messages"]
    content = None
    if not request.get("tools") or last["role"] == "tool":
        content = DOCUMENT if request.get("response_format") else GREETING
    if isinstance(last.get("content"), list):
        kinds = {part["type"] for part in last["content"]}
        content = "A picture." if "image_url" in kinds else content
    if content is None:
        return {"role": "assistant", "content": None, "tool_calls": [CALL]}
    return {"role": "assistant", "content": content}


def events(message: dict[str, Any]) -> bytes:
    """Tool calls come as some servers send them: without an index."""
    text = message["content"] or ""
    deltas: list[dict[str, Any]] = [{"content": text[at : at + 5]} for at in range(0, len(text), 5)]
    if "tool_calls" in message:
        deltas = [{"tool_calls": message["tool_calls"]}]
    chunks = [{"choices": [{"index": 0, "delta": delta}]} for delta in [*deltas, {}]]
    chunks[-1]["choices"][0]["finish_reason"] = "stop"
    lines = [json.dumps(chunk) for chunk in [*chunks, {"choices": [], "usage": USAGE}]]
    return "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"]).encode()


def embeddings(given: Any) -> dict[str, Any]:
    """Always numbers, whatever was asked for."""
    several = isinstance(given, list) and not isinstance(given[0], int)
    inputs = given if several else [given]
    vectors = [
        {"object": "embedding", "index": at, "embedding": [0.5, -0.25, 1.0]}
        for at, _ in enumerate(inputs)
    ]
    return {"data": vectors, "usage": {"prompt_tokens": 3, "total_tokens": 3}}


def whole(document: object) -> tuple[int, str, bytes]:
    return 200, "application/json", json.dumps(document).encode()
