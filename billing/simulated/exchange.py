"""One HTTP request and its answer, without the socket that they came and go by."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Request:
    """``headers`` by their names in small letters."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(errors="replace")))

    @property
    def document(self) -> dict[str, Any]:
        """Raises ValueError."""
        document = json.loads(self.body or b"{}")
        if not isinstance(document, dict):
            raise ValueError("not an object")
        return document

    @property
    def token(self) -> str:
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" else ""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, document: Any, status: int = 200) -> Answer:
        body = json.dumps(document, indent=2).encode()
        return cls(status, body, {"content-type": "application/json"})
