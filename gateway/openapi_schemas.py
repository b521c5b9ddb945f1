"""The shapes of all that crosses ``/v1``, as JSON Schema; ``gateway.openapi`` refers to them."""

from typing import Any

from gateway.completions import MAX_PROMPTS, MAX_TOKENS
from gateway.embeddings import MAX_INPUTS

Schema = dict[str, Any]
STRING: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
BOOLEAN: Schema = {"type": "boolean"}
MOMENT: Schema = {"type": "integer", "description": "Unix seconds"}
COUNT: Schema = {"type": "integer", "minimum": 0}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def constant(value: str) -> Schema:
    return {"type": "string", "const": value}


def nullable(schema: Schema) -> Schema:
    if isinstance(schema.get("type"), str):
        return schema | {"type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def array(items: Schema, **more: int) -> Schema:
    return {"type": "array", "items": items, **more}


def shape(required: dict[str, Schema], **optional: Schema) -> Schema:
    """An object; what it may hold besides is the provider's affair."""
    return {
        "type": "object",
        "properties": required | optional,
        "required": list(required),
    }


def asked(required: dict[str, Schema], **optional: Schema) -> Schema:
    """The body of a request: ``null`` is as good as absent; unknown fields go to the provider."""
    return shape(required, **{name: nullable(schema) for name, schema in optional.items()})


TOKEN_IDS = array(INTEGER, minItems=1)
TEXT_OR_IDS: Schema = {"anyOf": [STRING, TOKEN_IDS]}
STREAM_OPTIONS = shape({}, include_usage=nullable(BOOLEAN))
SAMPLING: dict[str, Schema] = {
    "stream": BOOLEAN | {"default": False},
    "stream_options": STREAM_OPTIONS,
    "temperature": NUMBER | {"minimum": 0, "maximum": 2},
    "top_p": NUMBER | {"minimum": 0, "maximum": 1},
    "presence_penalty": NUMBER | {"minimum": -2, "maximum": 2},
    "frequency_penalty": NUMBER | {"minimum": -2, "maximum": 2},
    "n": INTEGER | {"minimum": 1, "maximum": 128},
    "stop": {"anyOf": [STRING, array(STRING)]},
    "user": STRING | {"description": "Your end user, for analytics"},
}
PART = shape({"type": STRING})
CONTENT: Schema = {"anyOf": [STRING, array(PART), {"type": "null"}]}
MESSAGE = shape({"role": STRING}, content=CONTENT)
USAGE = shape({"prompt_tokens": COUNT, "completion_tokens": COUNT, "total_tokens": COUNT})
REASON = {
    "type": ["string", "null"],
    "enum": ["stop", "length", "tool_calls", "content_filter", "function_call", None],
}
LABEL = {"type": "string", "enum": ["true_positive", "false_positive"]}
HEAD: dict[str, Schema] = {"id": STRING, "created": MOMENT, "model": STRING}
LIMIT = shape(
    {
        "object": constant("limit"),
        "scope": {"type": "string", "enum": ["account", "key"]},
        "soft": BOOLEAN,
        "unit": {"type": "string", "enum": ["requests", "tokens"]},
        "window": {"type": "string", "enum": ["minute", "day", "month", "lifetime"]},
        "limit": COUNT,
        "used": COUNT,
        "remaining": COUNT,
        "reset": nullable(MOMENT),
    }
)
ROUTES = array(shape({"provider": STRING, "outcome": STRING}))
REFUSAL = nullable(shape({"type": STRING, "code": nullable(STRING), "message": STRING}))
TOTALS: dict[str, Schema] = {"requests": COUNT, "tokens": COUNT}
SCHEMAS: dict[str, Schema] = {
    "Error": shape(
        {
            "error": shape(
                {
                    "type": STRING,
                    "code": nullable(STRING),
                    "message": STRING,
                    "param": nullable(STRING),
                    "request_id": STRING | {"pattern": "^req_[0-9a-f]{28}$"},
                }
            )
        }
    ),
    "ChatRequest": asked(
        {"model": STRING, "messages": array(MESSAGE, minItems=1)},
        **SAMPLING,
        max_tokens=INTEGER | {"minimum": 1},
        max_completion_tokens=INTEGER | {"minimum": 1},
    ),
    "ChatCompletion": shape(
        HEAD
        | {
            "object": constant("chat.completion"),
            "choices": array(
                shape(
                    {
                        "index": COUNT,
                        "message": shape({"role": STRING, "content": {}, "refusal": {}}),
                        "logprobs": {},
                        "finish_reason": REASON,
                    }
                )
            ),
            "usage": USAGE,
        }
    ),
    "CompletionRequest": asked(
        {
            "model": STRING,
            "prompt": {
                "anyOf": [
                    STRING,
                    TOKEN_IDS,
                    array(TEXT_OR_IDS, minItems=1, maxItems=MAX_PROMPTS),
                ]
            },
        },
        **SAMPLING,
        max_tokens=INTEGER | {"minimum": 0, "default": MAX_TOKENS},
        best_of=INTEGER | {"minimum": 1},
        echo=BOOLEAN,
        suffix=STRING,
        logprobs=INTEGER,
    ),
    "Completion": shape(
        HEAD
        | {
            "object": constant("text_completion"),
            "choices": array(
                shape({"index": COUNT, "text": STRING, "logprobs": {}, "finish_reason": REASON})
            ),
            "usage": USAGE,
        }
    ),
    "EmbeddingRequest": asked(
        {
            "model": STRING,
            "input": {
                "anyOf": [
                    STRING | {"minLength": 1},
                    TOKEN_IDS,
                    array(
                        {"anyOf": [STRING | {"minLength": 1}, TOKEN_IDS]},
                        minItems=1,
                        maxItems=MAX_INPUTS,
                    ),
                ]
            },
        },
        encoding_format={"type": "string", "enum": ["float", "base64"], "default": "float"},
        dimensions=INTEGER | {"minimum": 1},
        user=STRING,
    ),
    "Embeddings": shape(
        {
            "object": constant("list"),
            "model": STRING,
            "data": array(
                shape(
                    {
                        "object": constant("embedding"),
                        "index": COUNT,
                        "embedding": {"anyOf": [array(NUMBER), STRING]},
                    }
                )
            ),
            "usage": shape({"prompt_tokens": COUNT, "total_tokens": COUNT}),
        }
    ),
    "Model": shape(
        {
            "id": STRING,
            "object": constant("model"),
            "created": MOMENT,
            "owned_by": STRING,
            "context_window": nullable(COUNT),
            "kind": STRING,
            "best_for": STRING,
            "aliases": array(STRING),
        },
        dimensions=COUNT,
    ),
    "Models": shape({"object": constant("list"), "data": array(ref("Model"))}),
    "Limits": shape({"object": constant("list"), "data": array(LIMIT)}),
    "Events": shape(
        {
            "object": constant("list"),
            "data": array(
                shape(
                    {
                        "id": STRING,
                        "type": STRING,
                        "created": MOMENT,
                        "data": {"type": "object"},
                        "sequence": INTEGER,
                    }
                )
            ),
            "has_more": BOOLEAN,
            "next": nullable(STRING),
        }
    ),
    "Key": shape(
        {
            "object": constant("key"),
            "id": INTEGER,
            "name": STRING,
            "hint": STRING,
            "environment": STRING,
            "scopes": array(STRING),
            "models": nullable(array(STRING)),
            "endpoints": nullable(array(STRING)),
            "networks": nullable(array(STRING)),
            "created": MOMENT,
            "expires": nullable(MOMENT),
            "rotated": nullable(MOMENT),
            "last_used": nullable(MOMENT),
            "account": shape({"id": INTEGER, "name": STRING}),
            "plan": shape({"id": STRING, "name": STRING, "status": STRING}),
            "limits": array(LIMIT),
        }
    ),
    "LeakReport": shape({"key": STRING}, where=STRING),
    "LeakReportTaken": shape({"object": constant("leak_report"), "accepted": BOOLEAN}),
    "LeakFindings": array(
        shape({"token": STRING}, type=STRING, url=nullable(STRING), source=nullable(STRING))
    ),
    "LeakLabels": array(shape({"token_raw": STRING, "token_type": STRING, "label": LABEL})),
    "Usage": shape(
        {
            "object": constant("usage"),
            "period": shape({"start": STRING, "end": STRING}),
            "data": shape(
                {
                    "total_requests": COUNT,
                    "total_tokens": COUNT,
                    "prompt_tokens": COUNT,
                    "completion_tokens": COUNT,
                    "models": {"type": "object", "additionalProperties": shape(TOTALS)},
                }
            ),
        },
        groups=array(shape(TOTALS)),
    ),
    "DryRun": shape(
        {
            "object": constant("dry_run"),
            "endpoint": STRING,
            "model": STRING,
            "requested_model": STRING,
            "passes": BOOLEAN,
            "passes_at": nullable(MOMENT),
            "prompt_tokens": COUNT,
            "reserved_tokens": COUNT,
            "limits": array(shape({"unit": STRING, "window": STRING, "limit": COUNT})),
            "routes": ROUTES,
            "error": REFUSAL,
        }
    ),
    "Explanation": shape(
        {
            "object": constant("explanation"),
            "request_id": STRING,
            "created": MOMENT,
            "endpoint": STRING,
            "model": nullable(STRING),
            "status": INTEGER,
            "outcome": STRING,
            "meaning": STRING,
            "error": REFUSAL,
            "limits": array(shape({"unit": STRING, "window": STRING, "limit": COUNT})),
            "passes": BOOLEAN,
            "passes_at": nullable(MOMENT),
            "routes": ROUTES,
            "usage": USAGE,
        }
    ),
}
