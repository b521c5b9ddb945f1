"""Members see whom their account tells of what, and what came back; keepers change it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.audit import Action
from accounts.models import Account
from tests.people import make_account, make_colleague, make_user
from tests.webhooks.conftest import at_home, receiver
from tests.webhooks.receivers import Receiver
from tests.webhooks.things import later, make_endpoint, tell, work
from webhooks.models import Delivery, Endpoint

__all__ = ["at_home", "receiver"]
pytestmark = pytest.mark.django_db
FORM = {
    "url": "https://hooks.example.com/in",
    "description": "Billing",
    "events": ["api_key.created"],
}


@pytest.fixture
def account() -> Account:
    return make_account()


@pytest.fixture
def owner(account: Account) -> Client:
    return signed_in(account.members.get())


def signed_in(user: object) -> Client:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    return client


def test_a_new_endpoint_shows_its_secret_once_and_never_again(
    owner: Client, account: Account
) -> None:
    answer = owner.post("/webhooks/new", FORM)

    endpoint = account.webhook_endpoints.get()
    [secret] = endpoint.valid_secrets()
    assert secret in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    for page in ("/webhooks", f"/webhooks/{endpoint.pk}"):
        assert secret not in owner.get(page).content.decode()
    entry = account.audit_entries.latest("number")
    assert entry.action == Action.ENDPOINT_ADDED
    assert secret not in str(entry.details)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("url", "", "required"),
        ("url", "http://hooks.example.com/", "https"),
        ("url", "https://127.0.0.1/", ""),
        ("url", "https://user@hooks.example.com/", ""),
        ("url", "gopher://hooks.example.com/", "https"),
        ("url", "https://hooks.example.com/" + "a" * 600, "500"),
        ("events", [], "at least one"),
        ("events", ["api_key.shouted"], "not one of the available choices"),
        ("description", "a" * 201, "200"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    owner: Client, account: Account, field: str, value: object, words: str
) -> None:
    answer = owner.post("/webhooks/new", FORM | {field: value})

    assert answer.status_code == 422
    [error] = answer.context["form"].errors[field]
    assert words in error
    assert not account.webhook_endpoints.exists()


def test_an_account_has_a_bounded_number_of_endpoints(owner: Client, account: Account) -> None:
    for _ in range(20):
        make_endpoint(account)

    answer = owner.post("/webhooks/new", FORM)

    assert answer.status_code == 422
    assert "at most 20" in answer.content.decode()


def test_a_viewer_sees_everything_but_secrets_and_changes_nothing(account: Account) -> None:
    endpoint, _ = make_endpoint(account)
    delivery = tell(account).deliveries.get()
    viewer = signed_in(make_colleague(account, "viewer"))
    before = list(Endpoint.objects.values())

    pages = ["/webhooks", f"/webhooks/{endpoint.pk}", f"/webhooks/deliveries/{delivery.pk}"]
    acts = ["change", "rotate", "disable", "enable", "remove", "test", "replay"]
    shown = [viewer.get(page).status_code for page in pages]
    refused = [viewer.post(f"/webhooks/{endpoint.pk}/{act}", FORM).status_code for act in acts]
    refused += [viewer.post(f"/webhooks/deliveries/{delivery.pk}/resend").status_code]
    refused += [viewer.post("/webhooks/new", FORM).status_code]

    assert shown == [200] * 3
    assert refused == [403] * 9
    assert list(Endpoint.objects.values()) == before


def test_a_stranger_finds_nothing(account: Account) -> None:
    endpoint, _ = make_endpoint(account)
    delivery = tell(account).deliveries.get()
    stranger = signed_in(make_account(make_user("stranger")).members.get())

    answers = [
        stranger.get(f"/webhooks/{endpoint.pk}"),
        stranger.post(f"/webhooks/{endpoint.pk}/change", FORM),
        stranger.post(f"/webhooks/{endpoint.pk}/rotate"),
        stranger.post(f"/webhooks/{endpoint.pk}/replay", {"since": "2026-01-01T00:00"}),
        stranger.get(f"/webhooks/deliveries/{delivery.pk}"),
        stranger.post(f"/webhooks/deliveries/{delivery.pk}/resend"),
    ]

    assert [answer.status_code for answer in answers] == [404] * 6


def test_a_test_event_arrives_and_says_that_it_is_one(
    owner: Client, account: Account, receiver: Receiver
) -> None:
    endpoint, _ = make_endpoint(account, url=receiver.url, events=["api_key.created"])

    answer = owner.post(f"/webhooks/{endpoint.pk}/test", {"event": "usage.limit_exceeded"})
    work()

    [request] = receiver.received
    assert request.type == "usage.limit_exceeded"
    assert request.document["test"] is True
    page = owner.get(answer["Location"]).content.decode()
    assert "thank you" in page
    assert "in a test only" in page


def test_what_a_receiver_answers_is_shown_as_text(
    owner: Client, account: Account, receiver: Receiver
) -> None:
    receiver.statuses, receiver.answer = [500], b"<script>alert(1)</script>\xff"
    make_endpoint(account, url=receiver.url)
    delivery = tell(account).deliveries.get()
    work()

    page = owner.get(f"/webhooks/deliveries/{delivery.pk}").content.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt;\ufffd" in page
    assert "trying again" in page


def test_one_delivery_can_be_sent_again_with_the_same_id(
    owner: Client, account: Account, receiver: Receiver
) -> None:
    make_endpoint(account, url=receiver.url)
    delivery = tell(account).deliveries.get()
    work()

    owner.post(f"/webhooks/deliveries/{delivery.pk}/resend")
    work()

    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert account.audit_entries.latest("number").action == Action.ENDPOINT_RESENT


@pytest.mark.parametrize(("everything", "number"), [("", 2), ("on", 3)])
def test_what_happened_since_a_moment_can_be_sent_again(
    owner: Client, account: Account, receiver: Receiver, everything: str, number: int
) -> None:
    endpoint, _ = make_endpoint(account, url=receiver.url)
    tell(account, n=1)
    work()
    receiver.statuses = [500]
    tell(account, n=2)
    work()
    endpoint.disable(Endpoint.Disabled.USER)
    tell(account, n=3)
    endpoint.enable()
    receiver.statuses, receiver.received[:] = [200], []

    since = timezone.now() - timedelta(hours=1)
    form = {"since": f"{since:%Y-%m-%dT%H:%M}", "everything": everything}
    owner.post(f"/webhooks/{endpoint.pk}/replay", form)
    work()

    numbers = sorted(request.document["data"]["n"] for request in receiver.received)
    assert numbers == [1, 2, 3][-number:]
    assert set(Delivery.objects.values_list("status", flat=True)) == {"delivered"}


def test_a_moment_that_is_none_or_to_come_is_refused(owner: Client, account: Account) -> None:
    endpoint, _ = make_endpoint(account)

    for since in ("", "yesterday", "2999-01-01T00:00"):
        answer = owner.post(f"/webhooks/{endpoint.pk}/replay", {"since": since})
        assert answer.status_code == 422
        assert answer.context["replay"].errors["since"]


def test_rotating_shows_a_new_secret_once(owner: Client, account: Account) -> None:
    endpoint, old = make_endpoint(account)

    answer = owner.post(f"/webhooks/{endpoint.pk}/rotate")

    endpoint.refresh_from_db()
    new, previous = endpoint.valid_secrets()
    assert previous == old
    assert new in answer.content.decode()
    assert old not in answer.content.decode()
    assert new not in owner.get(f"/webhooks/{endpoint.pk}").content.decode()


def test_the_list_goes_on_where_it_ended(owner: Client, account: Account) -> None:
    endpoint, _ = make_endpoint(account)
    for _ in range(30):
        tell(account)

    first = owner.get(f"/webhooks/{endpoint.pk}")
    rest = owner.get(f"/webhooks/{endpoint.pk}{first.context['older_url']}")

    shown = [*first.context["deliveries"], *rest.context["deliveries"]]
    assert [delivery.event.sequence for delivery in shown] == list(range(30, 0, -1))
    assert not rest.context["older_url"]


def test_deliveries_can_be_narrowed_to_what_waits_or_failed(
    owner: Client, account: Account, receiver: Receiver
) -> None:
    endpoint, _ = make_endpoint(account, url=receiver.url)
    tell(account)
    work()
    receiver.statuses = [500]
    tell(account)
    work()
    later(timedelta(0))

    counts = {
        status: len(owner.get(f"/webhooks/{endpoint.pk}?status={status}").context["deliveries"])
        for status in ("", "pending", "delivered", "failed", "nonsense")
    }

    assert counts == {"": 2, "pending": 1, "delivered": 1, "failed": 0, "nonsense": 2}


def test_removing_asks_first_and_then_forgets(owner: Client, account: Account) -> None:
    endpoint, _ = make_endpoint(account)
    event = tell(account)

    asked = owner.get(f"/webhooks/{endpoint.pk}/remove")
    owner.post(f"/webhooks/{endpoint.pk}/remove")

    assert "Remove this endpoint?" in asked.content.decode()
    assert not account.webhook_endpoints.exists()
    event.refresh_from_db()
    assert account.audit_entries.latest("number").action == Action.ENDPOINT_REMOVED
