"""Words to begin with, so that in a bad minute nobody has to look for them."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Wording:
    """What a form is filled with at first. Each of it can be changed."""

    label: str
    fields: dict[str, Any] = field(default_factory=dict)


INCIDENT: dict[str, Wording] = {
    "errors": Wording(
        "More errors than usual",
        {
            "title": "More errors than usual from the API",
            "impact": "minor",
            "parts": ["api"],
            "text": "Some calls to the API fail since a short while ago. We are looking into it. "
            "Trying again often helps.",
        },
    ),
    "down": Wording(
        "The API does not answer",
        {
            "title": "The API does not answer",
            "impact": "critical",
            "parts": ["api"],
            "text": "Calls to the API are not answered at present. We are at work on it, and say "
            "here what we find.",
        },
    ),
    "provider": Wording(
        "A provider has trouble",
        {
            "title": "Some models do not answer",
            "impact": "minor",
            "text": "The provider behind some models has trouble. Other models are not affected. "
            "Calls go to another provider where there is one.",
        },
    ),
    "webhooks": Wording(
        "Webhooks are late",
        {
            "title": "Webhooks arrive late",
            "impact": "minor",
            "parts": ["webhooks"],
            "text": "Webhooks are sent later than they should be. None is lost: whatever waits is "
            "sent as soon as that is possible.",
        },
    ),
    "log": Wording(
        "The log is behind",
        {
            "title": "The request log is behind",
            "impact": "minor",
            "parts": ["log"],
            "text": "Requests appear in the log, and in the usage, later than they should. Calls "
            "are served as ever, and each of them is kept.",
        },
    ),
}
UPDATE: dict[str, Wording] = {
    "found": Wording(
        "The cause is found",
        {"state": "identified", "text": "We know the cause, and are at work on it."},
    ),
    "watching": Wording(
        "It should be better now",
        {
            "state": "monitoring",
            "text": "What caused it is taken care of. We watch for a while whether it stays so.",
        },
    ),
    "over": Wording(
        "It is over",
        {"state": "resolved", "text": "Everything works again. Sorry for the trouble."},
    ),
}
PLAN: dict[str, Wording] = {
    "update": Wording(
        "A new version",
        {
            "title": "A new version",
            "parts": ["dashboard"],
            "text": "We put a new version in place. Pages may not answer for a minute or two; "
            "calls to the API go on.",
        },
    ),
    "database": Wording(
        "Work on the database",
        {
            "title": "Work on the database",
            "parts": ["api", "dashboard", "webhooks", "log"],
            "text": "We move the database. For some minutes neither pages nor the API may answer.",
        },
    ),
}
CHANGE: dict[str, Wording] = {
    "longer": Wording(
        "It takes longer", {"do": "say", "text": "It takes longer than planned. We are sorry."}
    ),
    "off": Wording(
        "It does not take place", {"do": "end", "text": "It does not take place. Nothing changes."}
    ),
}
