"""A request to the API as a program to paste, word for word what is sent."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

KEY = "YOUR_API_KEY"
PYTHON = """import requests

response = requests.post(
    {url},
    headers={{"Authorization": "Bearer {key}"}},
    json={body},
{extra})
response.raise_for_status()
{show}"""
PYTHON_WHOLE = "print(response.json())\n"
PYTHON_STREAM = """for line in response.iter_lines():
    print(line.decode())
"""
JAVASCRIPT = """const response = await fetch({url}, {{
  method: "POST",
  headers: {{
    "Authorization": "Bearer {key}",
    "Content-Type": "application/json",
  }},
  body: JSON.stringify({body}),
}});
if (!response.ok) throw new Error(await response.text());
{show}"""
JAVASCRIPT_WHOLE = "console.log(JSON.stringify(await response.json()));\n"
JAVASCRIPT_STREAM = """const decoder = new TextDecoder();
for await (const chunk of response.body) {
  console.log(decoder.decode(chunk, { stream: true }));
}
"""


@dataclass(frozen=True, slots=True)
class Snippet:
    """``name`` is for addresses and ids, ``language`` for people."""

    name: str
    language: str
    code: str


def snippets(endpoint: str, body: Mapping[str, Any]) -> list[Snippet]:
    """``POST endpoint`` with this body in three languages; the key is left for the reader."""
    url = f"{settings.PUBLIC_URL}{settings.PRODUCT.base_path}/{endpoint}"
    return [
        Snippet("curl", "curl", _curl(url, body)),
        Snippet("python", "Python", _python(url, body)),
        Snippet("javascript", "JavaScript", _javascript(url, body)),
    ]


def _curl(url: str, body: Mapping[str, Any]) -> str:
    words = [
        f"curl{' -N' if body.get('stream') else ''} {url}",
        '-H "Content-Type: application/json"',
        f'-H "Authorization: Bearer {KEY}"',
        f"-d {shlex.quote(_json(body))}",
    ]
    return " \\\n  ".join(words) + "\n"


def _python(url: str, body: Mapping[str, Any]) -> str:
    streamed = bool(body.get("stream"))
    return PYTHON.format(
        url=json.dumps(url),
        key=KEY,
        body=_literal(body, "    "),
        extra="    stream=True,\n" if streamed else "",
        show=PYTHON_STREAM if streamed else PYTHON_WHOLE,
    )


def _javascript(url: str, body: Mapping[str, Any]) -> str:
    return JAVASCRIPT.format(
        url=json.dumps(url),
        key=KEY,
        body=_json(body).replace("\n", "\n  "),  # within a text a new line is written \\n
        show=JAVASCRIPT_STREAM if body.get("stream") else JAVASCRIPT_WHOLE,
    )


def _json(body: Mapping[str, Any]) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False)


def _literal(value: object, margin: str) -> str:
    """As one writes it in Python; a text in JSON is one in Python, too."""
    deeper = f"{margin}    "
    if isinstance(value, Mapping):
        pairs = [f"{_literal(key, '')}: {_literal(found, deeper)}" for key, found in value.items()]
        return _block("{", pairs, "}", margin)
    if isinstance(value, list):
        return _block("[", [_literal(found, deeper) for found in value], "]", margin)
    if value is None or isinstance(value, bool):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)


def _block(opening: str, lines: list[str], closing: str, margin: str) -> str:
    inner = "".join(f"{margin}    {line},\n" for line in lines)
    return f"{opening}\n{inner}{margin}{closing}"
