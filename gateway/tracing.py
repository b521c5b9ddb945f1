"""Whether calls are traced for OpenTelemetry: if an operator names where to, and has the packages.

The variables are those of OpenTelemetry's own SDK, which reads them itself. Without
``OTEL_EXPORTER_OTLP_ENDPOINT`` nothing of it is imported, and a call pays for one ``if``.
"""

from __future__ import annotations

import logging
import os
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.spans import Spans

log = logging.getLogger(__name__)
VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT"
PACKAGES = {
    "opentelemetry-sdk": "opentelemetry.sdk",
    "opentelemetry-exporter-otlp-proto-http": "opentelemetry.exporter.otlp.proto.http",
}
INSTALL = f".venv/bin/python -m pip install {' '.join(PACKAGES)}, or uv pip install; or unset it"
WITHOUT = f"{VARIABLE} is set, but what traces calls is not installed: %s."


def missing() -> list[str]:
    """The packages that are asked for and not installed; none where tracing is off."""
    if not os.environ.get(VARIABLE):
        return []
    return [package for package, module in PACKAGES.items() if not installed(module)]


def installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ModuleNotFoundError, ValueError):  # not even what it lies in
        return False


if os.environ.get(VARIABLE) and not missing():
    from gateway import spans


def start() -> Spans | None:
    """What calls are shown to once they are over; None where nobody wants it, or nobody can."""
    if lacking := missing():
        log.error(WITHOUT, ", ".join(lacking))
    return spans.Spans() if os.environ.get(VARIABLE) and not lacking else None
