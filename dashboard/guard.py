"""Stands before Django: what is too big or too slow is refused before it is spooled to disk."""

from typing import Any

from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.template import loader

from gateway.call import Call, Receive, Scope, Send
from gateway.errors import Headers, InvalidRequest
from gateway.intake import check_head, intake

TITLES = {
    400: "That form did not arrive",
    413: "That was too much",
    414: "That address is too long",
    431: "Your browser sent too many cookies",
}


class Guard:
    """Django behind it sees requests whose head is small and whose body is here, whole."""

    def __init__(self, django: ASGIHandler) -> None:
        self._django = django

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = Call(scope, receive, send)
        try:
            check_head(scope, call.headers)
            if b"content-length" in call.headers or b"transfer-encoding" in call.headers:
                cap: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
                receive = Received(await intake.receive(receive, call.headers, cap), receive)
        except InvalidRequest as refusal:
            await call.answer(refusal.status, page_about(refusal), HTML)
        else:
            port = scope["client"][1] if scope.get("client") else 0
            seen = {**scope, "client": (call.ip, port)}  # as our proxies have seen it
            await self._django(seen, receive, send)  # type: ignore[arg-type]


class Received:
    """``receive`` for whoever comes after us: the body at once, then that the client has left."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> dict[str, Any]:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        while (message := dict(await self._receive()))["type"] != "http.disconnect":
            pass  # of the body's end we knew before the server said so
        return message


HTML: Headers = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
]


def page_about(refusal: InvalidRequest) -> bytes:
    context = {
        "status": refusal.status,
        "title": TITLES[refusal.status],
        "message": refusal.message,
    }
    return loader.get_template("refused.html").render(context).encode()
