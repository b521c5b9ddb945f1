"""What ``docs/webhooks.md`` and the schemas beside it promise is what the code does."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from accounts.audit import SYSTEM
from accounts.key_rules import Reason
from tests.people import make_account, make_key
from tests.webhooks.things import make_endpoint
from webhooks import endpoints, events, posting, schedule, signing, slots
from webhooks.event_types import EventType
from webhooks.events import emit, emit_test
from webhooks.models import Event
from webhooks.samples import SAMPLES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "webhooks.md"
BESIDE = ROOT / "docs" / "webhooks"
LANGUAGES = {".py": "python", ".mjs": "javascript", ".go": "go", ".rb": "ruby", ".php": "php"}
TEXT = DOCS.read_text()
EXAMPLES: list[dict[str, Any]] = [
    json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", TEXT, re.M | re.S)
]

TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": type(None),
}
WORDS_ONLY = {"$schema", "$id", "title", "description"}


def is_of(value: object, names: str | list[str]) -> bool:
    names = [names] if isinstance(names, str) else names
    if isinstance(value, bool):  # which Python takes for a number
        return "boolean" in names
    return any(isinstance(value, TYPES[name]) for name in names)


CHECKS: dict[str, Callable[[Any, Any], bool]] = {
    "type": is_of,
    "required": lambda value, names: set(names) <= set(value),
    "additionalProperties": lambda value, allowed: allowed is True,
    "enum": lambda value, allowed: value in allowed,
    "const": lambda value, only: value == only and type(value) is type(only),
    "pattern": lambda value, form: not isinstance(value, str) or bool(re.search(form, value)),
    "minimum": lambda value, least: value >= least,
}


def faults(value: Any, schema: dict[str, Any], path: str = "$") -> list[str]:
    """Where ``value`` is not what ``schema`` says; KeyError for words that we do not check."""
    found = []
    for word, wanted in schema.items():
        if word == "properties":
            for name in wanted.keys() & value.keys():
                found += faults(value[name], wanted[name], f"{path}.{name}")
        elif word == "items":
            for number, item in enumerate(value):
                found += faults(item, wanted, f"{path}[{number}]")
        elif word not in WORDS_ONLY and not CHECKS[word](value, wanted):
            found.append(f"{path}: {word}")
    return found


def schema_of(kind: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((BESIDE / "schemas" / f"{kind}.json").read_text())
    return schema


def faults_of(payload: dict[str, Any]) -> list[str]:
    return faults(payload, schema_of(payload["type"]))


def last_payload() -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(Event.objects.latest("sequence").payload)
    return payload


def in_words(delay: timedelta) -> str:
    """
    >>> in_words(timedelta(minutes=5))
    '5 minutes'
    """
    seconds = int(delay.total_seconds())
    for unit, size in [("hours", 3600), ("minutes", 60)]:
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"


@pytest.mark.parametrize("kind", EventType.values)
def test_each_event_has_a_section_and_a_schema_that_the_docs_link_to(kind: str) -> None:
    schema = schema_of(kind)

    headings = [line for line in TEXT.splitlines() if line.startswith("#")]

    assert f"### {kind}" in headings
    assert f"(webhooks/schemas/{kind}.json)" in TEXT
    assert schema["properties"]["type"] == {"const": kind}
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_there_is_no_schema_of_anything_else() -> None:
    files = {path.name for path in (BESIDE / "schemas").iterdir()}

    assert files == {f"{kind}.json" for kind in EventType.values}


@pytest.mark.django_db
@pytest.mark.parametrize("kind", EventType)
def test_what_is_emitted_and_what_is_sent_as_a_test_are_as_the_schema_says(kind: EventType) -> None:
    endpoint, _ = make_endpoint()

    emitted = json.loads(emit(endpoint.account_id, kind, SAMPLES[kind]).payload)
    tested = json.loads(emit_test(endpoint, kind, SAMPLES[kind]).payload)

    assert faults_of(emitted) == []
    assert faults_of(tested) == []
    assert tested["test"] is True


@pytest.mark.django_db
@pytest.mark.parametrize("kind", EventType)
def test_a_schema_names_every_field_and_wants_it(kind: EventType) -> None:
    schema = schema_of(kind)
    payload = json.loads(emit(make_account().pk, kind, SAMPLES[kind]).payload)

    properties, data = schema["properties"], schema["properties"]["data"]

    assert set(properties) - {"test"} == set(payload) == set(schema["required"])
    assert set(data["properties"]) == set(payload["data"]) == set(data["required"])


@pytest.mark.django_db
def test_the_events_of_a_real_key_are_as_their_schemas_say() -> None:
    api_key = make_key().api_key
    created = last_payload()

    api_key.revoke(by=SYSTEM, reason=Reason.LEAK)

    revoked = last_payload()
    assert [created["type"], revoked["type"]] == ["api_key.created", "api_key.revoked"]
    assert faults_of(created) == faults_of(revoked) == []
    assert revoked["data"]["reason"] == "leak"


@pytest.mark.django_db
@pytest.mark.parametrize("kind", EventType)
def test_a_schema_takes_fields_of_later_years_and_refuses_what_is_wrong(kind: EventType) -> None:
    payload = json.loads(emit(make_account().pk, kind, SAMPLES[kind]).payload)
    data = payload["data"]
    without = {name: value for name, value in data.items() if name != "account_id"}

    newer = payload | {"more": 1, "data": data | {"more": [1]}}

    assert faults_of(newer) == []
    assert faults_of(payload | {"data": without}) == ["$.data: required"]
    assert faults_of(payload | {"data": data | {"account_id": True}}) == ["$.data.account_id: type"]
    assert faults_of(payload | {"id": 5, "sequence": 0}) != []
    assert faults({**payload, "type": "other"}, schema_of(kind)) == ["$.type: const"]


def test_each_reason_is_in_the_docs_and_in_the_schema() -> None:
    reasons = {*Reason.values, "expiry"}

    allowed = schema_of("api_key.revoked")["properties"]["data"]["properties"]["reason"]["enum"]

    assert set(allowed) == reasons
    assert all(f"| `{reason}` |" in TEXT for reason in reasons)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example["type"]))
def test_an_example_is_what_would_be_sent(example: dict[str, Any]) -> None:
    sample = SAMPLES[EventType(example["type"])]

    assert faults_of(example) == []
    assert example["data"] == {"account_id": example["data"]["account_id"], **sample}


@pytest.mark.parametrize("kind", EventType)
def test_each_field_is_in_the_docs(kind: EventType) -> None:
    schema = schema_of(kind)

    fields = {*schema["properties"], *schema["properties"]["data"]["properties"]}

    missing = [name for name in fields if f"`{name}`" not in TEXT and f'"{name}"' not in TEXT]
    assert missing == []


def test_each_header_is_in_the_docs() -> None:
    secrets = [signing.generate_secret(), signing.generate_secret()]

    names = signing.headers("evt_1", 1, b"{}", secrets)

    assert [name for name in names if f"| `{name}` |" not in TEXT] == []


def test_each_attempt_is_in_the_docs_with_its_delay() -> None:
    rows = [
        f"| {number} | {in_words(delay)} |" for number, delay in enumerate(schedule.DELAYS, start=2)
    ]

    assert [row for row in rows if row not in TEXT] == []
    assert f"| {schedule.ATTEMPTS + 1} |" not in TEXT


@pytest.mark.parametrize(
    "promise",
    [
        f"{schedule.JITTER * 100:.0f} %",
        f"at most {in_words(schedule.MOST)} are believed",
        f"at least {endpoints.LEAST_FAILURES} of them",
        f"for {in_words(endpoints.BOTH_VALID)} after a rotation",
        f"{endpoints.MOST} endpoints",
        f"| {slots.ANSWERING} where each is answered, else {slots.OTHERS} |",
        f"{posting.MOST_READ // 1024} KiB",
        f"{posting.MOST_KEPT // 1024} KiB",
        f"{signature(posting.post).parameters['deadline_seconds'].default:.0f} seconds",
        f"{events.KEPT.days} days",
    ],
)
def test_a_number_in_the_docs_is_the_one_in_the_code(promise: str) -> None:
    assert promise in TEXT


def test_each_setting_is_in_the_docs() -> None:
    settings = (ROOT / "dashboard" / "settings.py").read_text()

    names = set(re.findall(r"KEYPLEX_WEBHOOK_\w+", settings))

    assert names >= {f"KEYPLEX_WEBHOOK_{name}" for name in ("NETWORKS", "HTTP", "DNS")}
    assert [name for name in names if f"| `{name}` |" not in TEXT] == []


@pytest.mark.parametrize("suffix", LANGUAGES)
def test_a_snippet_in_the_docs_is_the_file_beside_them(suffix: str) -> None:
    text = (BESIDE / f"verify{suffix}").read_text()

    assert f"```{LANGUAGES[suffix]}\n{text}```\n" in TEXT
    assert f"(webhooks/verify{suffix})" in TEXT


def test_every_link_leads_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", TEXT, re.M)
    anchors = {re.sub(r"[^\w\- ]", "", one).lower().replace(" ", "-") for one in headings}

    links = [link for link in re.findall(r"\]\(([^)]+)\)", TEXT) if "://" not in link]

    assert links
    for link in links:
        found = link[1:] in anchors if link.startswith("#") else (DOCS.parent / link).is_file()
        assert found, link
