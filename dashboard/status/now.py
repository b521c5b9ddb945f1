"""What the status page says now, made once in some seconds for everybody who asks."""

import json

from dashboard.status import kept
from dashboard.status.picture import take
from dashboard.status.summary import summary


def as_text() -> str:
    """The text of ``/status.json``."""
    return kept.kept(kept.JSON, lambda: json.dumps(summary(take())))
