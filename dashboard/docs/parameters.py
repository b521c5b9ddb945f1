"""What each endpoint takes, as tables, from the description that ``GET openapi.json`` gives."""

from __future__ import annotations

from typing import Any

from dashboard.docs.markdown_tables import code, table
from gateway.openapi import PATHS
from gateway.openapi_schemas import SCHEMAS, Schema

MEANINGS = {
    "model": "The model, by its id or any of its other names",
    "messages": "The conversation so far: objects with `role` and `content`",
    "prompt": "A text, a list of texts, token ids, or lists of token ids",
    "input": "A text, a list of texts, token ids, or lists of token ids",
    "stream": "Send the answer piece by piece, as server-sent events",
    "stream_options": '`{"include_usage": true}`: tell the tokens in a last piece',
    "temperature": "How freely to choose the next token: 0 is nearly always the likeliest",
    "top_p": "Choose among the likeliest tokens that together have this probability",
    "presence_penalty": "Above 0: rather speak of something new",
    "frequency_penalty": "Above 0: rather not say the same words again",
    "n": "How many answers to generate; each of them costs tokens",
    "stop": "Texts at which to end; they are not part of the answer",
    "max_tokens": "The most tokens to generate, in each answer",
    "max_completion_tokens": "The newer name of `max_tokens`, which it goes before",
    "best_of": "Generate so many, and return the best; only models made for completions",
    "echo": "Begin with the prompt; only models made for completions",
    "suffix": "What follows the text to write; only models made for completions",
    "logprobs": "Tell the probabilities of so many tokens; only models made for completions",
    "encoding_format": "Numbers in JSON, or float32 in base64, which is half as long",
    "dimensions": "How many numbers each vector has, where the model lets one choose",
    "user": "Your end user, by an id that says nothing to others: usage is told for each",
    "key": "The key that was found",
    "where": "Where it was found, such as an address",
}
OF_QUERIES = {
    "model": "Only calls of this model, by any of its names",
    "start": "The beginning of the period, as a date, a date with a time, or Unix seconds. "
    "Without it: that of your billing period",
    "end": "The end of the period, likewise. Without it: now",
    "api_key_id": "Only calls with this key",
    "endpoint": "Only calls of this endpoint, such as `chat/completions`",
    "group_by": "Adds `groups`: the same sums for each key, endpoint, end user, day or hour",
    "limit": "How many at most; 100 without it",
    "type": "Only events of this type",
}
LIMITS = (("minimum", "from {}"), ("maximum", "to {}"), ("minItems", "at least {} of them"))


def described(meaning: str, schema: Schema) -> str:
    """What a parameter means, which values it takes, and what holds without it."""
    words = [meaning]
    bounds = " ".join(text.format(schema[key]) for key, text in LIMITS if key in schema)
    if choices := [choice for choice in schema.get("enum", []) if choice is not None]:
        words.append("One of " + ", ".join(map(code, choices)))
    if bounds:
        words.append(bounds[0].upper() + bounds[1:])
    if "default" in schema:
        words.append(f"Default: {code(str(schema['default']).lower())}")
    return ". ".join(words)


def kind_of(schema: Schema) -> str:
    """The types that a value may have, in the words of JSON; ``null`` goes without saying."""
    if "anyOf" in schema:
        kinds = [kind_of(one) for one in schema["anyOf"]]
    else:
        given = schema.get("type", "any")
        kinds = given if isinstance(given, list) else [given]
    return " or ".join(dict.fromkeys(kind for kind in kinds if kind not in ("null", "")))


def body_table(name: str) -> str:
    schema = SCHEMAS[name]
    rows = [
        [
            code(field),
            kind_of(one),
            "yes" if field in schema["required"] else "",
            described(MEANINGS.get(field) or one.get("description", ""), one),
        ]
        for field, one in schema["properties"].items()
    ]
    return table(["Parameter", "Type", "Required", "Meaning"], rows)


def query_table(operation: dict[str, Any]) -> str:
    rows = [
        [
            code(one["name"]),
            kind_of(one["schema"]),
            described(OF_QUERIES.get(one["name"]) or one.get("description", ""), one["schema"]),
        ]
        for one in operation["parameters"]
    ]
    return table(["Parameter", "Type", "Meaning"], rows)


ASKED = [name for name in SCHEMAS if name.endswith("Request") or name == "LeakReport"]
BODIES = {name: body_table(name) for name in ASKED}
QUERIES = {path.strip("/"): query_table(PATHS[path]["get"]) for path in ("/usage", "/events")}
