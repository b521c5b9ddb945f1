"""``manage.py check``: can we do what the environment asks of the gateway?"""

from typing import Any

from django.core.checks import CheckMessage, register
from django.core.checks import Warning as Caution

from gateway import tracing


@register("tracing")
def traces(**_: Any) -> list[CheckMessage]:
    """Whoever wants traces has the packages for them."""
    lacking = tracing.missing()
    if not lacking:
        return []
    says = tracing.WITHOUT % ", ".join(lacking)
    return [Caution(says, hint=tracing.INSTALL, id="gateway.W001")]
