"""What every answer tells a browser, so that it does nothing with it that we do not mean.

Pages say most of it themselves; here is the rest, and all of it for what no page of Django's is:
data, files, refusals.
"""

from collections.abc import Awaitable, MutableMapping
from typing import Any

from csp.utils import build_policy
from django.conf import settings

from gateway.call import Send
from gateway.errors import Headers

ALL: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", settings.SECURE_REFERRER_POLICY.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
]
if settings.OVER_TLS:
    strictly = f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains; preload"
    ALL.append((b"strict-transport-security", strictly.encode()))
NOWHERE = b"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

PAGES: Headers = [*ALL, (b"content-security-policy", build_policy().encode())]
FILES: Headers = [*ALL, (b"content-security-policy", b"default-src 'self'" + NOWHERE)]
DATA: Headers = [
    *ALL,
    (b"content-security-policy", b"default-src 'none'" + NOWHERE),
    (b"cache-control", b"no-store"),
]


def careful(send: Send, precautions: Headers) -> Send:
    """``send``, with those ``precautions`` that an answer does not take itself."""

    def sending(message: MutableMapping[str, Any]) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            said = {name.lower() for name, _ in message["headers"]}
            more = [header for header in precautions if header[0] not in said]
            message = {**message, "headers": [*message["headers"], *more]}
        return send(message)

    return sending
