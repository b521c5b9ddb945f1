"""``GET events`` lists what happened to an account, in order, without a gap, and nobody else's."""

import httpx
import msgspec
import pytest

from accounts.audit import SYSTEM
from tests.gateway.test_bad_input import check
from tests.people import Issued, make_key
from tests.webhooks.things import tell
from webhooks.event_types import EventType
from webhooks.events import emit_test
from webhooks.models import Endpoint, Event


def listed(client: httpx.Client, key: Issued, **parameters: str | int) -> list[str]:
    """The ids of all events, page by page."""
    found: list[str] = []
    while True:
        answer = client.get("/v1/events", headers=key.headers, params=parameters).json()
        found += [event["id"] for event in answer["data"]]
        if not answer["has_more"]:
            return found
        parameters["after"] = answer["next"]


def test_events_are_listed_as_a_webhook_delivers_them(client: httpx.Client) -> None:
    key = make_key()
    make_key()
    key.api_key.revoke(by=SYSTEM)
    reader = make_key(key.account)

    answer = client.get("/v1/events", headers=reader.headers).json()

    payloads = [msgspec.json.decode(event.payload) for event in key.account.events.all()]
    assert answer["object"] == "list"
    assert answer["data"] == payloads
    assert [event["type"] for event in payloads] == [
        "api_key.created",
        "api_key.revoked",
        "api_key.created",
    ]
    assert [event["sequence"] for event in payloads] == [1, 2, 3]
    assert (answer["has_more"], answer["next"]) == (False, payloads[-1]["id"])


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
def test_every_event_is_on_one_page_whatever_their_length(client: httpx.Client, limit: int) -> None:
    key = make_key()
    for _ in range(9):
        tell(key.account)

    found = listed(client, key, limit=limit)

    assert found == list(Event.objects.order_by("sequence").values_list("pk", flat=True))
    assert len(found) == 10


def test_who_has_read_everything_goes_on_where_they_were(client: httpx.Client) -> None:
    key = make_key()
    [last] = listed(client, key)

    nothing = client.get("/v1/events", headers=key.headers, params={"after": last}).json()
    news = tell(key.account)

    assert (nothing["data"], nothing["next"]) == ([], last)
    assert listed(client, key, after=last) == [news.pk]


def test_one_type_can_be_asked_for(client: httpx.Client) -> None:
    key = make_key()
    make_key(key.account).api_key.revoke(by=SYSTEM)

    found = listed(client, key, type="api_key.revoked")

    assert found == list(Event.objects.filter(type="api_key.revoked").values_list("pk", flat=True))


def test_what_was_only_a_test_did_not_happen(client: httpx.Client) -> None:
    key = make_key()
    endpoint, _ = Endpoint.objects.open(key.account.pk, url="https://h.example.com/", events=[])
    emit_test(endpoint, EventType.API_KEY_CREATED, {})

    assert len(listed(client, key)) == 1


@pytest.mark.parametrize(
    ("parameters", "param"),
    [
        ({"after": "evt_nothing"}, "after"),
        ({"after": "evt\0"}, "after"),
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"type": "api_key.shouted"}, "type"),
        ({"before": "evt_1"}, "before"),
    ],
)
def test_what_is_wrong_is_named(
    client: httpx.Client, parameters: dict[str, str], param: str
) -> None:
    answer = client.get("/v1/events", headers=make_key().headers, params=parameters)

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


def test_an_event_of_somebody_else_is_none(client: httpx.Client) -> None:
    mine, other = make_key(), make_key()
    theirs = other.account.events.get()

    answer = client.get("/v1/events", headers=mine.headers, params={"after": theirs.pk})

    check(answer, 400, "unknown_event", "after")


def test_a_key_needs_the_permission(client: httpx.Client) -> None:
    answer = client.get("/v1/events", headers=make_key(scopes=["chat:write"]).headers)

    check(answer, 403, "insufficient_scope")
