"""What a provider says when nothing is wrong, with token counts that are known."""

from typing import Any

from tests.provider import PIECE, PROMPT_TOKENS

TOKENS = 5
VECTOR = [0.25, -0.5, 1.0]
Document = dict[str, Any]
OBJECTS = {"chat": "chat.completion", "completions": "text_completion"}


def usage(kind: str, tokens: int = TOKENS) -> Document:
    if kind == "embeddings":
        return {"prompt_tokens": PROMPT_TOKENS, "total_tokens": PROMPT_TOKENS}
    total = PROMPT_TOKENS + tokens
    return {
        "prompt_tokens": PROMPT_TOKENS,
        "completion_tokens": tokens,
        "total_tokens": total,
    }


def whole(kind: str, tokens: int = TOKENS, text: str | None = None) -> Document:
    """A complete answer of so many tokens, or with this text."""
    if kind == "embeddings":
        vector = {"object": "embedding", "index": 0, "embedding": VECTOR}
        return {"object": "list", "data": [vector], "model": "m", "usage": usage(kind)}
    said = PIECE * tokens if text is None else text
    choice: Document = {"index": 0, "finish_reason": "stop", "logprobs": None}
    if kind == "chat":
        choice["message"] = {"role": "assistant", "content": said, "refusal": None}
    else:
        choice["text"] = said
    return {
        "id": "cmpl-1",
        "object": OBJECTS[kind],
        "created": 1,
        "model": "m",
        "choices": [choice],
        "usage": usage(kind, tokens),
    }


def chunk(
    kind: str, text: str | None = None, finish: str | None = None, index: int = 0
) -> Document:
    """One chunk of a stream."""
    choice: Document = {"index": index, "finish_reason": finish}
    if kind == "chat":
        choice["delta"] = {} if text is None else {"content": text}
    else:
        choice["text"] = text or ""
    return document(kind, choices=[choice])


def document(kind: str, **more: Any) -> Document:
    name = OBJECTS[kind] + (".chunk" if kind == "chat" else "")
    return {"id": "cmpl-1", "object": name, "created": 1, "model": "m"} | more


def opening(kind: str) -> list[Document]:
    """A chat begins with who speaks."""
    if kind != "chat":
        return []
    delta = {"role": "assistant", "content": ""}
    return [document(kind, choices=[{"index": 0, "delta": delta, "finish_reason": None}])]


def pieces(kind: str, tokens: int = TOKENS) -> list[Document]:
    """The stream up to its last token."""
    return [*opening(kind), *[chunk(kind, PIECE) for _ in range(tokens)]]


def closing(kind: str, tokens: int = TOKENS) -> list[Document]:
    """The end of a stream but for ``[DONE]``."""
    return [
        chunk(kind, finish="stop"),
        document(kind, choices=[], usage=usage(kind, tokens)),
    ]


def stream(kind: str, tokens: int = TOKENS) -> list[Document]:
    return [*pieces(kind, tokens), *closing(kind, tokens)]
