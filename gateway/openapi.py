"""``GET openapi.json``: this interface in OpenAPI 3.1, from the tables that serve it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accounts.scopes import Scope
from gateway.call import Call
from gateway.openapi_schemas import MOMENT, SCHEMAS, STRING, Schema, ref
from gateway.raw_json import encode
from gateway.usage_inquiry import GROUPS
from webhooks.event_types import EventType

if TYPE_CHECKING:
    from gateway.asgi import Gateway

WHENEVER = "A date, a date with a time, or Unix seconds"
REFUSALS = {
    "400": "Something in the request is wrong; `param` names it",
    "401": "The API key is missing, wrong, revoked, deactivated, rotated or expired",
    "403": "The API key may not do this, here or from there, or its account is not served just now",
    "404": "There is no such model, address or request",
    "405": "The address takes another method",
    "413": "The body is too large",
    "415": "The body is of another kind than JSON",
    "429": "A limit is reached; `Retry-After` says when the request would pass",
    "500": "The model's answer made no sense, or something of ours failed",
    "503": "Nobody can serve this now; `Retry-After` says when to try again",
}
RATE_LIMITS = {
    f"X-RateLimit-{what}-{unit}": {"schema": MOMENT if what == "Reset" else {"type": "integer"}}
    for unit in ("Requests", "Tokens")
    for what in ("Limit", "Remaining", "Reset")
}
# No type: OpenAPI 3.1 does not say whether it would be that of the stream or of an event in it.
EVENTS: Schema = {
    "text/event-stream": {
        "schema": {
            "description": "The data of each event is a chunk in JSON, and [DONE] at the end"
        }
    }
}


def parameter(name: str, where: str, **more: Any) -> Schema:
    return {"name": name, "in": where, "schema": STRING, "required": where == "path"} | more


DRY_RUN = parameter(
    "X-Keyplex-Dry-Run",
    "header",
    schema={"type": "string", "enum": ["true", "false"]},
    description="`true`: check everything, show every limit and route, ask and charge nothing",
)


def answers(schema: Schema, *, streamed: bool = False) -> Schema:
    """200 as ``schema`` says, and every refusal in the one shape of errors."""
    headers = {"X-Request-Id": {"schema": STRING}} | RATE_LIMITS
    content = {"application/json": {"schema": schema}} | (EVENTS if streamed else {})
    error = {"application/json": {"schema": ref("Error")}}
    refusals = {
        status: {"description": words, "content": error} for status, words in REFUSALS.items()
    }
    return {"200": {"description": "Answered", "headers": headers, "content": content}} | refusals


def writes(summary: str, scope: Scope, asked: str, given: str, *, streamed: bool) -> Schema:
    body = {"required": True, "content": {"application/json": {"schema": ref(asked)}}}
    responses = answers({"oneOf": [ref(given), ref("DryRun")]}, streamed=streamed)
    post = operation(summary, scope, responses) | {"requestBody": body, "parameters": [DRY_RUN]}
    return {"post": post}


def reports(summary: str, asked: str, status: str, given: str, *parameters: Schema) -> Schema:
    """An address that takes no API key."""
    body = {"required": True, "content": {"application/json": {"schema": ref(asked)}}}
    responses = answers(ref(given))
    responses = {status: responses.pop("200") | {"description": "Taken"}} | responses
    post = operation(summary, None, responses) | {"requestBody": body, "security": []}
    post |= {"description": "Needs no API key.", "parameters": list(parameters)}
    return {"post": post}


def reads(summary: str, scope: Scope | None, given: str, *parameters: Schema) -> Schema:
    return {
        "get": operation(summary, scope, answers(ref(given))) | {"parameters": list(parameters)}
    }


def operation(summary: str, scope: Scope | None, responses: Schema) -> Schema:
    needs = f"Needs the permission `{scope.value}`." if scope else "Any valid key may ask."
    name = summary.lower().replace(" ", "_")
    return {"operationId": name, "summary": summary, "description": needs, "responses": responses}


PATHS: dict[str, Schema] = {
    "/chat/completions": writes(
        "Create chat completion",
        Scope.CHAT_WRITE,
        "ChatRequest",
        "ChatCompletion",
        streamed=True,
    ),
    "/completions": writes(
        "Create completion",
        Scope.COMPLETIONS_WRITE,
        "CompletionRequest",
        "Completion",
        streamed=True,
    ),
    "/embeddings": writes(
        "Create embeddings",
        Scope.EMBEDDINGS_WRITE,
        "EmbeddingRequest",
        "Embeddings",
        streamed=False,
    ),
    "/models": reads("List models", Scope.MODELS_READ, "Models"),
    "/models/{id}": reads(
        "Retrieve model", Scope.MODELS_READ, "Model", parameter("id", "path", schema=STRING)
    ),
    "/usage": reads(
        "Retrieve usage",
        Scope.USAGE_READ,
        "Usage",
        parameter("start", "query", description=WHENEVER),
        parameter("end", "query", description=WHENEVER),
        parameter("api_key_id", "query", schema={"type": "integer", "minimum": 0}),
        parameter("model", "query"),
        parameter("endpoint", "query"),
        parameter("group_by", "query", schema={"type": "string", "enum": list(GROUPS)}),
    ),
    "/events": reads(
        "List events",
        Scope.USAGE_READ,
        "Events",
        parameter("after", "query", description="The id of the last event that is known"),
        parameter("limit", "query", schema={"type": "integer", "minimum": 1, "maximum": 100}),
        parameter("type", "query", schema={"type": "string", "enum": EventType.values}),
    ),
    "/key": reads("Retrieve key", None, "Key"),
    "/leaked-key": reports("Report leaked key", "LeakReport", "202", "LeakReportTaken"),
    "/leaked-keys": reports(
        "Report leaked keys",
        "LeakFindings",
        "200",
        "LeakLabels",
        parameter("Github-Public-Key-Identifier", "header", required=True),
        parameter("Github-Public-Key-Signature", "header", required=True),
    ),
    "/limits": reads("List limits", None, "Limits"),
    "/explain/{request_id}": reads(
        "Explain request", Scope.USAGE_READ, "Explanation", parameter("request_id", "path")
    ),
}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "LLM API",
        "version": "1",
        "description": "OpenAI-compatible. Fields that are not listed go to the model's provider.",
    },
    "servers": [{"url": "/v1"}, {"url": "/api/v1"}],
    "security": [{"key": []}],
    "paths": PATHS,
    "components": {
        "schemas": SCHEMAS,
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
    },
}
BODY = encode(DOCUMENT)


async def openapi(_: Gateway, call: Call) -> None:
    """For everybody: what the interface looks like is no secret."""
    await call.answer(200, BODY)
