"""Walks the Python SDK, as it was installed, through a running site; prints what came of it."""

import json
import sys
from importlib.resources import files

import openai

import keyplex

base_url, request_id, key, hasty = sys.argv[1:]
HELLO = [{"role": "user", "content": "Hello, world!"}]
client = keyplex.Keyplex(base_url=base_url, api_key=key, max_retries=0)
limited = client.with_options(api_key=hasty)


def chat(client, **more):
    return client.chat.completions.create(model="keyplex/echo", messages=HELLO, **more)


raw = limited.chat.completions.with_raw_response.create(model="keyplex/echo", messages=HELLO)
try:
    chat(limited)
except keyplex.RateLimitError as error:
    refusal = error
said = {
    "major": int(openai.__version__.split(".")[0]),
    "typed": files("keyplex").joinpath("py.typed").is_file(),
    "chat": chat(client).choices[0].message.content,
    "streamed": "".join(c.choices[0].delta.content or "" for c in chat(client, stream=True)),
    "usage": client.usage.retrieve(start="2025-12-01", group_by="model").data.total_requests,
    "limits": len(client.limits.retrieve().data),
    "key": client.key.retrieve().object,
    "explained": client.explain(request_id).usage.total_tokens,
    "events": [event.type for event in client.events.list(limit=1)],
    "code": refusal.code,
    "retries": 1 <= refusal.retry_after <= 61,
    "left": refusal.rate_limits["requests"].remaining,
    "left_before": keyplex.rate_limits(raw.headers)["requests"].remaining,
}
sys.stdout.write(json.dumps(said))
