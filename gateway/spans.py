"""What OpenTelemetry is told of a call: a span for it, and below that one for each attempt.

Both are made when the call is over, from what is written down anyway, and leave in batches from a
thread of their own; while nobody takes them they are dropped. They say which model, how many
tokens, and how it ended; never what was asked or answered, and nothing of a key. A caller's trace
is taken over, and never passed on to a provider, who has no business with it.
"""

import asyncio
import logging
import os
import threading
from typing import Any

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateway.call import Call
from gateway.meter import Attempt, Meter

log = logging.getLogger(__name__)
OPERATIONS = {
    "chat/completions": "chat",
    "completions": "text_completion",
    "embeddings": "embeddings",
}
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
TRACE = ("traceparent", "tracestate")
NO_ERRORS = ("", "ok")
ANSWERED = "answered"
PATIENCE = 2.0  # seconds for the last batch, when a worker ends
MS, S = 1_000_000, 1_000_000_000  # nanoseconds


class Spans:
    """Of one process."""

    def __init__(self) -> None:
        names = {} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: "keyplex"}
        self._provider = TracerProvider(resource=Resource.create(names), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("keyplex.gateway")
        self._propagator = TraceContextTextMapPropagator()

    def saw(self, call: Call) -> None:
        """A call is over. Whatever goes wrong here is in our log, and no trouble of the call."""
        try:
            self._tell(call)
        except Exception:
            log.exception("%s could not be traced", call.request_id)

    def _tell(self, call: Call) -> None:
        began, meter = int(call.started_at * S), call.meter
        ended = began + call.elapsed_ms() * MS
        span = self._tracer.start_span(
            f"{call.method} /v1/{meter.endpoint}" if meter else method_of(call),
            self._of_caller(call),
            SpanKind.SERVER,
            attributes=told_of_call(call, meter),
            start_time=began,
        )
        if span.is_recording() and meter:
            self._tell_attempts(meter, set_span_in_context(span), began, ended)
        if call.error and (call.error.status >= 500 or call.status == 200):
            span.set_status(StatusCode.ERROR)
        span.end(ended)

    def _tell_attempts(self, meter: Meter, within: Context, began: int, ended: int) -> None:
        """Each lasted until the next one began, or until the call was over."""
        tries = [attempt for attempt in meter.attempts if attempt.began_ms is not None]
        starts = [began + (attempt.began_ms or 0) * MS for attempt in tries]
        ends = [*starts, ended][1:]
        for attempt, start, end in zip(tries, starts, ends, strict=True):
            attributes = told_of_attempt(meter, attempt)
            name = f"{OPERATIONS.get(meter.endpoint, meter.endpoint)} {attempt.model}"
            span = self._tracer.start_span(name, within, SpanKind.CLIENT, attributes, (), start)
            if "error.type" in attributes:
                span.set_status(StatusCode.ERROR)
            span.end(end)

    def _of_caller(self, call: Call) -> Context:
        """The trace that the caller is in, if it says so."""
        said = {name: call.header(name.encode()) for name in TRACE}
        return self._propagator.extract({name: words for name, words in said.items() if words})

    async def stop(self) -> None:
        """Send what is left, if somebody takes it within ``PATIENCE``."""
        last = threading.Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        for _ in range(int(PATIENCE / 0.05)):
            if not last.is_alive():
                return
            await asyncio.sleep(0.05)


def told_of_call(call: Call, meter: Meter | None) -> dict[str, Any]:
    """In the words of the conventions for HTTP servers and for generative AI."""
    told: dict[str, Any] = {
        "http.request.method": method_of(call),
        "http.response.status_code": call.status,
        "error.type": call.error.code if call.error else None,
        "keyplex.request_id": call.request_id,
    }
    if meter:
        if meter.outcome not in NO_ERRORS and not told["error.type"]:
            told["error.type"] = meter.outcome
        told |= {
            "http.route": f"/v1/{meter.endpoint}",
            "keyplex.outcome": meter.outcome or None,
            "keyplex.account_id": meter.caller.account_id,
            "keyplex.attempts": meter.asked_times or None,
        }
        if meter.model:
            told |= {
                "gen_ai.request.model": meter.model,
                "gen_ai.provider.name": meter.provider or None,
                **told_of_model(meter),
            }
    return said_only(told)


def told_of_attempt(meter: Meter, attempt: Attempt) -> dict[str, Any]:
    """The same for one request to a provider, by the provider's name of the model."""
    well = attempt.outcome == ANSWERED
    return said_only(
        {
            "gen_ai.provider.name": attempt.provider,
            "gen_ai.request.model": attempt.model,
            "http.response.status_code": attempt.status,
            "error.type": None if well else attempt.outcome,
            **(told_of_model(meter) if well else {}),
        }
    )


def told_of_model(meter: Meter) -> dict[str, Any]:
    """What is charged, and how it was asked for."""
    prompt, completion, source = meter.counts(ok=meter.outcome == "ok")
    return {
        "gen_ai.operation.name": OPERATIONS.get(meter.endpoint),
        "gen_ai.request.stream": meter.streamed,
        "gen_ai.usage.input_tokens": prompt,
        "gen_ai.usage.output_tokens": completion,
        "keyplex.usage_source": source,
    }


def method_of(call: Call) -> str:
    """One of those that there are, so that nobody fills a table with others."""
    return call.method if call.method in METHODS else "_OTHER"


def said_only(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None}
