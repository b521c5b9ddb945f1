"""What a client got, read as strictly as the strictest official client reads it."""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.upstream.answers import OBJECTS, VECTOR

FINISHES = {"stop", "length", "tool_calls", "content_filter", "function_call"}
ENVELOPE = {"type", "code", "message", "param", "request_id"}
Key = tuple[int, int]  # choice, tool call


@dataclass
class Reading:
    """A stream, event by event. ``error`` is the bare one that ends it, ``done`` is ``[DONE]``."""

    events: list[dict[str, Any]] = field(default_factory=list)
    error: dict[str, Any] | None = None
    done: bool = False
    comments: int = 0

    def text(self, name: str = "content") -> dict[int, str]:
        """What was said, by choice."""
        said: dict[int, str] = {}
        for choice in self.choices():
            piece = choice.get("delta", {}).get(name) if "delta" in choice else choice.get("text")
            said[choice["index"]] = said.get(choice["index"], "") + (piece or "")
        return said

    def tools(self) -> dict[Key, tuple[str, str, str]]:
        """Id, name and arguments of every tool call."""
        calls: dict[Key, tuple[str, str, str]] = {}
        for choice in self.choices():
            for call in choice.get("delta", {}).get("tool_calls") or ():
                key, said = (choice["index"], call["index"]), call.get("function", {})
                known, name, arguments = calls.get(key, ("", "", ""))
                calls[key] = (
                    known or call.get("id") or "",
                    name + (said.get("name") or ""),
                    arguments + (said.get("arguments") or ""),
                )
        return calls

    def finishes(self) -> dict[int, str]:
        return {
            choice["index"]: choice["finish_reason"]
            for choice in self.choices()
            if choice["finish_reason"]
        }

    def usages(self) -> list[dict[str, Any]]:
        return [event["usage"] for event in self.events if event.get("usage")]

    def choices(self) -> list[dict[str, Any]]:
        return [choice for event in self.events for choice in event["choices"]]


def read_stream(body: bytes, model: str, kind: str = "chat") -> Reading:
    """Fails where a client would stumble: half an event, another field, a chunk without form."""
    reading = Reading()
    assert not body or body.endswith(b"\n\n"), f"half an event: {body[-200:]!r}"
    for block in body.decode().split("\n\n")[:-1]:
        assert not reading.done, f"after [DONE]: {block!r}"
        assert reading.error is None, f"after the error: {block!r}"
        if block.startswith(":"):
            reading.comments += 1
            assert "\n" not in block
            continue
        assert block.startswith("data: "), block
        assert "\n" not in block, block
        take(reading, block.removeprefix("data: "), model, kind)
    if reading.events:
        assert len({(event["id"], event["created"]) for event in reading.events}) == 1
        first = reading.events[0]["choices"]
        assert kind != "chat" or (first and first[0]["delta"].get("role") == "assistant"), first
    return reading


def take(reading: Reading, data: str, model: str, kind: str) -> None:
    if data == "[DONE]":
        reading.done = True
        return
    event = json.loads(data)
    if "error" in event:
        assert list(event) == ["error"], f"an error beside something else: {event}"
        check_envelope(event)
        reading.error = event["error"]
        return
    check_chunk(event, model, kind)
    reading.events.append(event)


def check_chunk(event: dict[str, Any], model: str, kind: str) -> None:
    """The form that every chunk has (compatibility.md, rules 5, 8 and 9, and 1.2)."""
    assert event["model"] == model, event
    assert event["object"] == OBJECTS[kind] + (".chunk" if kind == "chat" else "")
    assert isinstance(event["id"], str)
    assert event["id"]
    assert type(event["created"]) is int
    for choice in event["choices"]:
        assert type(choice["index"]) is int
        assert choice["finish_reason"] in FINISHES | {None}, choice
        assert isinstance(choice["delta" if kind == "chat" else "text"], dict | str)
        for call in choice.get("delta", {}).get("tool_calls") or ():
            assert type(call["index"]) is int, call
    if event.get("usage"):
        assert event["choices"] == [], f"usage beside choices: {event}"
        check_usage(event["usage"])


def check_usage(usage: dict[str, Any]) -> None:
    prompt, completion = usage["prompt_tokens"], usage.get("completion_tokens", 0)
    assert (type(prompt), type(completion), type(usage["total_tokens"])) == (int, int, int)
    assert prompt >= 0
    assert completion >= 0
    assert usage["total_tokens"] == prompt + completion


def check_envelope(document: dict[str, Any]) -> None:
    error = document["error"]
    assert set(error) == ENVELOPE, error
    assert isinstance(error["message"], str)
    assert error["message"]
    assert error["code"] is None or isinstance(error["code"], str)
    assert error["request_id"].startswith("req_")


def check_whole(document: dict[str, Any], model: str, kind: str) -> None:
    """The form of a whole answer."""
    assert document["model"] == model
    assert "error" not in document
    if document.get("usage") is not None:
        check_usage(document["usage"])
    if kind == "embeddings":
        assert [entry["embedding"] for entry in document["data"]] == [VECTOR]
        return
    assert document["object"] == OBJECTS[kind]
    assert isinstance(document["id"], str)
    for choice in document["choices"]:
        assert choice["finish_reason"] in FINISHES, choice
        assert "logprobs" in choice
        assert kind != "chat" or {"role", "content", "refusal"} <= set(choice["message"])


def said_in(document: dict[str, Any], kind: str) -> dict[int, str]:
    """What was said in a whole answer, by choice."""
    return {
        choice["index"]: choice["message"]["content"] if kind == "chat" else choice["text"]
        for choice in document.get("choices", ())
    }
