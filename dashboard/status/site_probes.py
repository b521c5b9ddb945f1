"""Our own site, asked every minute over HTTP as somebody from outside would ask it."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

import httpcore
import msgspec
from django.conf import settings

from dashboard.status.parts import Kind, Part, State
from dashboard.status.probes import Found, Probe

PATIENCE = 5.0  # seconds, each for the connection and for the answer
SILENT = "It did not answer a probe."


class ErrorBody(msgspec.Struct):
    error: dict[str, object]


def ask_all() -> None:
    """Ask the API and the dashboard, and write down how that went."""
    Probe.objects.note(Kind.PART, Part.API, api())
    Probe.objects.note(Kind.PART, Part.DASHBOARD, dashboard())


def api() -> Found:
    """Whether it answers a call as it should, here one without a key, and is ready for others."""
    answer = get(f"{settings.PRODUCT.base_path}/models")
    if answer is None or answer.status >= 500:
        return Found(State.DOWN, SILENT)
    if answer.status != 401 or not is_our_error(answer.content):
        return Found(State.DOWN, "It answered a probe with what is no answer of this API.")
    ready = get("/readyz")
    if ready is None or ready.status != 200:
        return Found(State.DEGRADED, "It answers, but says that it is not ready for every call.")
    return Found(State.WORKS, "It answered a probe as it should.")


def dashboard() -> Found:
    """Whether a page comes that needs all that pages need."""
    answer = get("/login/")
    if answer is None:
        return Found(State.DOWN, SILENT)
    if answer.status != 200:
        return Found(State.DOWN, "It answered a probe with an error.")
    return Found(State.WORKS, "It answered a probe with a page.")


def is_our_error(body: bytes) -> bool:
    try:
        return "code" in msgspec.json.decode(body, type=ErrorBody).error
    except msgspec.MsgspecError:
        return False


def get(path: str) -> httpcore.Response | None:
    """The answer of this host, whole; None if there is none. No redirect is followed."""
    public = urlsplit(settings.PUBLIC_URL)
    headers = [
        ("Host", public.netloc),
        ("X-Forwarded-Proto", public.scheme),  # as the proxy before us says it
        ("User-Agent", "Keyplex-Probe/1.0"),
    ]
    timeout = dict.fromkeys(("connect", "read", "write", "pool"), PATIENCE)
    try:
        return httpcore.request(
            "GET", settings.SELF_URL + path, headers=headers, extensions={"timeout": timeout}
        )
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, ssl.SSLError):
        return None
