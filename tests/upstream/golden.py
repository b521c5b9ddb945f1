"""Streams as they really look, one for each way of speaking, and what must come of them."""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.upstream.reading import Key

Chunk = dict[str, Any]
UNICODE = "Grüße, 世界! 👩‍👩‍👧 naïve"


@dataclass(frozen=True)
class Golden:
    """``counts`` are the provider's prompt and completion tokens; None where it tells none."""

    name: str
    wire: bytes
    said: dict[int, str]
    finishes: dict[int, str] = field(default_factory=lambda: {0: "stop"})
    counts: tuple[int, int] | None = None
    reasoning: dict[int, str] = field(default_factory=dict)
    tools: dict[Key, tuple[str, str, str]] = field(default_factory=dict)


def usage(prompt: int, completion: int, **more: Any) -> Chunk:
    counts = {"prompt_tokens": prompt, "completion_tokens": completion}
    return counts | {"total_tokens": prompt + completion} | more


def delta(
    content: str | None = None, finish: str | None = None, index: int = 0, **more: Any
) -> Chunk:
    """The only entry of ``choices``."""
    said = ({} if content is None else {"content": content}) | more
    return {"index": index, "delta": said, "finish_reason": finish}


def chunk(*choices: Chunk, **more: Any) -> Chunk:
    base = {"id": "chatcmpl-9x", "object": "chat.completion.chunk", "created": 1717171717}
    return base | {"model": "up-1", "choices": list(choices)} | more


def tool(index: int | None = 0, call: str = "", name: str = "", arguments: str = "") -> Chunk:
    """One delta of a tool call; only the first has an id and a name."""
    entry: Chunk = {"function": {"arguments": arguments}}
    if index is not None:
        entry["index"] = index
    if call:
        entry |= {"id": call, "type": "function"}
        entry["function"]["name"] = name
    return delta(tool_calls=[entry])


def wire(
    *chunks: Chunk, done: bool = True, end: str = "\n", begin: str = "data: ", **how: Any
) -> bytes:
    lines = [json.dumps(one, **how) for one in chunks] + ["[DONE]"] * done
    return "".join(f"{begin}{line}{end}{end}" for line in lines).encode()


ROLE = delta("", role="assistant")
HELLO, WORDS = {0: "Hello there"}, [delta("Hello"), delta(" there")]
PLAIN = [chunk(ROLE), *map(chunk, WORDS), chunk(delta(finish="stop"))]
LAST = chunk(usage=usage(7, 2))
WEATHER = {(0, 0): ("call_1", "weather", '{"city": "Köln"}')}
TOOL_DELTAS = [
    tool(0, "call_1", "weather"),
    tool(0, arguments='{"city"'),
    tool(0, arguments=': "Köln"}'),
]

OPENAI = Golden(
    "openai",
    wire(
        *[
            one | {"usage": None, "system_fingerprint": "fp_1", "service_tier": "default"}
            for one in PLAIN
        ],
        LAST | {"usage": usage(7, 2, completion_tokens_details={"reasoning_tokens": 0})},
        separators=(",", ":"),
    ),
    HELLO,
    counts=(7, 2),
)
AZURE = Golden(
    "azure",
    wire(
        chunk(id="", model="", object="", prompt_filter_results=[{"prompt_index": 0}]),
        *[chunk(word | {"content_filter_results": {}}) for word in [ROLE, *WORDS]],
        chunk(delta(finish="stop")),
        LAST,
    ),
    HELLO,
    counts=(7, 2),
)
OPENROUTER = Golden(
    "openrouter",
    b": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n"
    + wire(
        *[chunk(word | {"native_finish_reason": None}, provider="X") for word in [ROLE, *WORDS]],
        chunk(delta("", finish="stop"), usage=usage(7, 2, cost=0.00014), provider="X"),
    ),
    HELLO,
    counts=(7, 2),
)
GEMINI = Golden(
    "gemini",
    wire(
        chunk(delta("Hello", role="assistant"), usage=usage(7, 1), created=1),
        chunk(delta(" there", finish="stop", role="assistant"), usage=usage(7, 2), created=2),
    ),
    HELLO,
    counts=(7, 2),
)
VLLM = Golden(
    "vllm",
    wire(
        chunk(delta("", role="assistant") | {"logprobs": None}),
        *[chunk(word | {"logprobs": None, "stop_reason": None}) for word in WORDS],
        chunk(delta("", finish="stop") | {"stop_reason": 128009}),
        LAST,
        separators=(",", ":"),
    ),
    HELLO,
    counts=(7, 2),
)
LLAMA_CPP = Golden(
    "llama.cpp",
    wire(
        chunk(delta(role="assistant", content=None)),
        *[chunk(word) for word in WORDS],
        chunk(delta(finish="stop")),
        LAST | {"timings": {"predicted_ms": 12.5}},
    ),
    HELLO,
    counts=(7, 2),
)
OLLAMA = Golden(
    "ollama",
    wire(
        *[
            chunk(delta(text, role="assistant"), system_fingerprint="fp_ollama")
            for text in ("Hello", " there")
        ],
        chunk(delta("", finish="stop", role="assistant")),
        LAST,
    ),
    HELLO,
    counts=(7, 2),
)
OLLAMA_TOOLS = Golden(
    "ollama-tools-without-index",
    wire(
        chunk(tool(None, "call_1", "weather", '{"city": "Köln"}')),
        chunk(delta("", finish="stop")),
    ),
    {0: ""},
    {0: "tool_calls"},
    tools=WEATHER,
)
DEEPSEEK = Golden(
    "deepseek-reasoning",
    wire(
        chunk(
            delta(None, role="assistant")
            | {"delta": {"role": "assistant", "content": None, "reasoning_content": ""}}
        ),
        chunk(delta(reasoning_content="Let me ")),
        chunk(delta(reasoning_content="think.")),
        *[chunk(word) for word in WORDS],
        chunk(delta("", finish="stop"), usage=usage(7, 9, prompt_cache_hit_tokens=0)),
    ),
    HELLO,
    counts=(7, 9),
    reasoning={0: "Let me think."},
)
MISTRAL = Golden(
    "mistral",
    wire(
        chunk(ROLE),
        chunk(WORDS[0], p="abc"),
        chunk(delta(" there", finish="stop"), usage=usage(7, 2), p="x"),
    ),
    HELLO,
    counts=(7, 2),
)
ANTHROPIC = Golden(
    "unknown-finish-reason",
    wire(chunk(ROLE), *map(chunk, WORDS), chunk(delta(finish="end_turn")), LAST),
    HELLO,
    counts=(7, 2),
)
TOOLS = Golden(
    "tool-calls",
    wire(
        chunk(delta(None, role="assistant")),
        *map(chunk, TOOL_DELTAS),
        chunk(delta(finish="tool_calls")),
        LAST,
    ),
    {0: ""},
    {0: "tool_calls"},
    counts=(7, 2),
    tools=WEATHER,
)
TWO_TOOLS = Golden(
    "two-tool-calls-that-stop",
    wire(
        chunk(delta(None, role="assistant")),
        *map(chunk, TOOL_DELTAS),
        chunk(tool(1, "call_2", "time", "{}")),
        chunk(delta(finish="stop")),
    ),
    {0: ""},
    {0: "tool_calls"},
    tools=WEATHER | {(0, 1): ("call_2", "time", "{}")},
)
CHOICES = Golden(
    "several-choices",
    wire(
        chunk(ROLE, delta("", index=1, role="assistant")),
        chunk(delta("B", index=1), delta("A")),
        chunk(delta(finish="length", index=1)),
        chunk(delta("a")),
        chunk(delta(finish="stop")),
        LAST,
    ),
    {0: "Aa", 1: "B"},
    {0: "stop", 1: "length"},
    counts=(7, 2),
)
UTF8 = Golden(
    "unicode",
    wire(
        chunk(ROLE),
        *[chunk(delta(letter)) for letter in UNICODE],
        chunk(delta(finish="stop")),
        ensure_ascii=False,
    ),
    {0: UNICODE},
)
SURROGATES = Golden(
    "surrogate-pairs",
    wire(chunk(ROLE), chunk(delta("👩‍👩‍👧 𝄞")), chunk(delta(finish="stop")), ensure_ascii=True),
    {0: "👩‍👩‍👧 𝄞"},
)
SEPARATORS = Golden(
    "line-separators-in-text",
    wire(
        chunk(ROLE),
        chunk(delta("a\u2028b\u2029c\x85d\x0be\nf")),
        chunk(delta(finish="stop")),
        ensure_ascii=False,
    ),
    {0: "a\u2028b\u2029c\x85d\x0be\nf"},
)
CRLF = Golden("crlf", wire(*PLAIN, LAST, end="\r\n"), HELLO, counts=(7, 2))
CR = Golden("cr", wire(*PLAIN, LAST, end="\r") + b"\n", HELLO, counts=(7, 2))
MIXED = Golden(
    "mixed-endings",
    wire(*PLAIN[:2], done=False, end="\r\n") + wire(*PLAIN[2:], LAST),
    HELLO,
    counts=(7, 2),
)
MULTI_LINE = Golden(
    "multi-line-data",
    b"".join(
        b"data: " + json.dumps(one, indent=1).encode().replace(b"\n", b"\ndata: ") + b"\n\n"
        for one in PLAIN
    )
    + b"data: [DONE]\n\n",
    HELLO,
)
NO_SPACE = Golden("no-space", wire(*PLAIN, LAST, begin="data:"), HELLO, counts=(7, 2))
FIELDS = Golden(
    "other-fields",
    b"retry: 3000\n\nevent: ping\n\nid: 1\n: hush\n\n"
    + wire(*PLAIN, begin="event: message\nid: 2\ndata: "),
    HELLO,
)
NO_DONE = Golden("no-done", wire(*PLAIN, LAST, done=False), HELLO, counts=(7, 2))
NO_ROLE = Golden("no-role-no-id", wire(*[{"choices": one["choices"]} for one in PLAIN[1:]]), HELLO)
NULL_ERROR = Golden("null-error", wire(*[one | {"error": None} for one in PLAIN]), HELLO)
NO_CHOICES = Golden(
    "usage-without-choices",
    wire(*PLAIN, {"id": "chatcmpl-9x", "object": "chat.completion.chunk", "usage": usage(7, 2)}),
    HELLO,
    counts=(7, 2),
)
NO_FINISH_KEY = Golden(
    "finish-reason-only-at-the-end",
    wire(
        chunk({"index": 0, "delta": {"role": "assistant"}}),
        chunk({"index": 0, "delta": {"content": "Hello there"}}),
        chunk(delta(finish="stop")),
    ),
    HELLO,
)
GOLDEN = [value for value in list(globals().values()) if isinstance(value, Golden)]
