"""Where log lines go and what they look like: lines for people, or JSON for a log store."""

from collections.abc import Mapping
from typing import Any

FORMATTERS = {
    "line": {
        "()": "dashboard.log_lines.Line",
        "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
    },
    "json": {"()": "dashboard.log_lines.JSONLine"},
}


def logging_setup(environ: Mapping[str, str]) -> dict[str, Any]:
    """Django's ``LOGGING``. Raises ValueError where it is asked for what there is not."""
    chosen = environ.get("KEYPLEX_LOG_FORMAT", "line")
    if chosen not in FORMATTERS:
        raise ValueError(f"KEYPLEX_LOG_FORMAT is {' or '.join(FORMATTERS)}, not {chosen}.")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": FORMATTERS,
        "filters": {"brief": {"()": "dashboard.web_log.Brief"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": chosen}},
        "root": {"handlers": ["stderr"], "level": environ.get("KEYPLEX_LOG_LEVEL", "INFO")},
        "loggers": {
            "django": {},  # as all that are named here: whatever handlers it had are gone
            "django.request": {"filters": ["brief"]},
            "django.server": {"level": "WARNING", "propagate": True},
            "httpx": {"level": "WARNING"},
            "stripe": {"level": "WARNING"},
            "_granian": {"propagate": True},  # the web server's, as soon as our code is loaded
        },
    }
