"""What operators switch off is not there, says so, and is back when they switch it on again."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.test import Client
from pytest_django import Settings

from accounts.audit import SYSTEM, AuditEntry
from accounts.features import (
    CAPTURE,
    CHECKOUT,
    FEATURES,
    OFF,
    PAGES,
    PLAYGROUND,
    SIGNUP,
    Feature,
    switched_off,
)
from accounts.models import APIKey, User
from accounts.posted import Posted
from billing.models import Subscription
from billing.stripe_access import StripeAccess
from dashboard import switches
from dashboard.models import Switch
from dashboard.plan_choices import choices_of
from dashboard.tasks import post_again
from gateway.captures import filled
from gateway.redaction import Redaction
from tests.dashboard.conftest import Scene, browser_of, scene, text_of
from tests.operators import as_operator, make_operator
from tests.people import make_plan, make_price, make_user
from usage.journal import Payload

__all__ = ["scene"]
pytestmark = pytest.mark.django_db
LIST = "/ops/dashboard/switch/"
OFF_PAGE, ON_PAGE = f"{LIST}off/", f"{LIST}on/"
STRIPE = StripeAccess("test", "sk_test_1", "whsec_" + "1" * 32)
WORDS = "We are moving house until noon."
WRONG: list[tuple[dict[str, str], str]] = [
    ({"feature": "signup", "reason": ""}, "Say why."),
    ({"reason": "robots"}, "Choose one."),
    ({"feature": "playground", "reason": "robots"}, "Somebody was faster"),
    ({"feature": "everything", "reason": "robots"}, "Somebody was faster"),
    ({"feature": "signup", "reason": "robots", "words": "x" * 301}, "at most 300 characters"),
]


@pytest.fixture(autouse=True)
def _everything_is_on() -> Iterator[None]:
    cache.clear()
    OFF.put({})
    yield
    OFF.put({})


@pytest.fixture
def operator() -> Client:
    return as_operator(Client())


def turn_off(feature: Feature, words: str = "") -> None:
    Switch.objects.turn_off(feature, reason="too much of it", words=words, by=SYSTEM)
    switches.renew()


def test_an_operator_switches_off_and_on_and_both_is_on_record(operator: Client) -> None:
    form = {"feature": "signup", "reason": "robots", "words": WORDS}

    off = operator.post(OFF_PAGE, form, follow=True)
    while_off = switched_off()
    on = operator.post(ON_PAGE, {"feature": "signup", "reason": "they left"}, follow=True)

    assert "Switched off: Sign-up." in text_of(off)
    assert f"by operator operator@example.com: robots People read: “{WORDS}”" in text_of(off)
    assert while_off == {"signup": WORDS}
    assert "Switched on: Sign-up." in text_of(on)
    assert switched_off() == {}
    entries = AuditEntry.objects.filter(action__startswith="feature.").order_by("number")
    assert [(entry.action, entry.about, entry.details) for entry in entries] == [
        ("feature.switched_off", "Sign-up", {"reason": "robots"}),
        ("feature.switched_on", "Sign-up", {"reason": "they left"}),
    ]


def test_the_list_says_of_each_how_it_is_and_leads_to_the_act(operator: Client) -> None:
    turn_off(PLAYGROUND)

    page = operator.get(LIST).content.decode()

    for name, feature in FEATURES.items():
        assert feature.title in page
        assert f"{'on' if name == 'playground' else 'off'}/?words={name}" in page
    off = operator.get(f"{OFF_PAGE}?words=capture").context["form"]["feature"]
    on = operator.get(f"{ON_PAGE}?words=playground").context["form"]["feature"]
    assert (off.value(), on.value()) == ("capture", "playground")
    assert [name for name, _ in on.field.choices] == ["playground"]
    assert {name for name, _ in off.field.choices} == {*FEATURES} - {"playground"}


def test_what_is_wrong_is_said_beside_its_field(operator: Client) -> None:
    turn_off(PLAYGROUND)

    for form, complaint in WRONG:
        answer = operator.post(OFF_PAGE, form)
        assert (answer.status_code, complaint in text_of(answer)) == (422, True), complaint

    assert set(switched_off()) == {"playground"}


def test_twice_is_refused_and_leaves_one_entry() -> None:
    turn_off(SIGNUP)

    with pytest.raises(ValidationError, match="switched off already"):
        turn_off(SIGNUP)
    with pytest.raises(ValidationError, match="is not switched off"):
        Switch.objects.turn_on(PAGES, reason="r", by=SYSTEM)

    assert AuditEntry.objects.filter(action__startswith="feature.").count() == 1


def test_nobody_but_operators_who_may_switches_anything(scene: Scene) -> None:
    clerk = as_operator(Client(), User.objects.create_user("c@example.com", "x", is_staff=True))
    form = {"feature": "pages", "reason": "why not"}
    people = [scene.owner, scene.colleague, scene.stranger, Client(), clerk]

    answers = [person.post(OFF_PAGE, form).status_code for person in people]
    lists = [person.get(LIST).status_code for person in people]

    assert answers == lists == [403, 403, 403, 302, 403]
    assert not Switch.objects.exists()


def test_what_redis_has_lost_is_said_again_every_minute() -> None:
    turn_off(SIGNUP)
    cache.clear()
    assert Posted("features:off", {}).read() == {}

    post_again()

    assert Posted("features:off", {}).read() == {"signup": ""}


def test_nobody_new_comes_in_while_sign_up_is_off() -> None:
    turn_off(SIGNUP, WORDS)
    visitor, known = Client(), make_user()
    form = {"email": "new@example.com", "password1": "correct horse battery"}

    page, sent = visitor.get("/signup/"), visitor.post("/signup/", form)
    signed_in = visitor.post("/login/", {"login": known.email, "password": "correct horse"})

    for answer in (page, sent):
        assert answer.status_code == 503
        assert answer["Retry-After"] == "300"
        assert WORDS in text_of(answer)
    assert not User.objects.filter(email="new@example.com").exists()
    assert signed_in.status_code == 302
    assert WORDS in text_of(Client().get("/login/"))
    assert WORDS in text_of(Client().get("/"))
    for path in ("/", "/pricing"):
        assert 'href="/signup/"' not in Client().get(path).content.decode()


def test_the_playground_is_gone_for_everybody_and_the_rest_is_there(scene: Scene) -> None:
    assert "/playground" in scene.owner.get("/overview").content.decode()
    turn_off(PLAYGROUND)

    for person in (scene.owner, scene.colleague, scene.stranger):
        page = person.get("/playground")
        overview = person.get("/overview")
        assert (page.status_code, overview.status_code) == (503, 200)
        assert PLAYGROUND.said in text_of(page)
        assert "/playground" not in overview.content.decode()


@pytest.mark.parametrize("act", ["ask", "stream", "preview", "code", "allow"])
def test_no_question_is_asked_while_the_playground_is_off(scene: Scene, act: str) -> None:
    turn_off(PLAYGROUND, WORDS)

    answer = scene.owner.post(f"/playground/{act}", {"model": "m", "message": "Hi"})

    assert answer.status_code == 503
    assert answer["Retry-After"] == "300"
    assert WORDS in answer.content.decode()
    assert (answer["Content-Type"] == "application/json") == (act == "stream")
    assert not scene.key.account.api_keys.filter(playground=True).exists()


def test_no_plan_is_bought_while_that_is_off_but_less_can_be_chosen(
    scene: Scene, settings: Settings
) -> None:
    settings.STRIPE = STRIPE
    less, mine, more = (make_plan(slug) for slug in ("less", "mine", "more"))
    for position, plan in enumerate((less, mine, more)):
        plan.unit_amount, plan.position = 100 * position + 100, position
        plan.save()
    price, *_ = [make_price(plan) for plan in (mine, less, more)]
    paid = Subscription.objects.start(scene.key.account, mine)
    Subscription.objects.filter(pk=paid.pk).update(stripe_id="sub_1", price=price)
    subscription = Subscription.objects.get(pk=paid.pk)
    before = [choice.act for choice in choices_of(subscription)]
    turn_off(CHECKOUT, WORDS)

    refused = scene.owner.post("/billing/change/more", follow=True)

    assert before == ["downgrade", "upgrade"]
    assert [choice.act for choice in choices_of(subscription)] == ["downgrade"]
    assert WORDS in text_of(refused)
    assert "/billing/change/more" not in refused.content.decode()
    assert scene.owner.get("/billing/change/less").status_code == 200


def test_no_key_is_told_to_capture_while_that_is_off_but_each_can_be_told_to_stop(
    scene: Scene,
) -> None:
    api_key = scene.key.api_key
    api_key.capture_calls(APIKey.Capture.ERRORS, by=SYSTEM)
    page = f"/keys/{api_key.pk}/capture"
    form = {"one_in": "1", "redact": "", "days": "3"}
    turn_off(CAPTURE)

    more = scene.owner.post(page, {**form, "which": "all"})
    api_key.refresh_from_db()
    kept = api_key.capture
    less = scene.owner.post(page, {**form, "which": "off"})

    assert (more.status_code, kept) == (422, "errors")
    assert text_of(more).count(CAPTURE.said) > 1  # on top, and beside the field
    api_key.refresh_from_db()
    assert (less.status_code, api_key.capture) == (302, "off")


def test_the_gateway_keeps_nothing_while_capture_is_off() -> None:
    blank = Payload(request_id="r", started_at=0.0, account_id=1, api_key_id=1, days=1)
    arguments = blank, Redaction(()), b'{"a": 1}', b"{}"
    assert filled(*arguments)

    turn_off(CAPTURE)

    assert filled(*arguments) is None


def test_pages_of_members_say_that_they_are_closed_and_do_nothing(scene: Scene) -> None:
    turn_off(PAGES, WORDS)

    for person in (scene.owner, scene.colleague, scene.stranger):
        for path in ("/overview", "/keys", "/settings", "/billing", "/team", "/playground"):
            answer = person.get(path)
            assert (answer.status_code, answer["Retry-After"]) == (503, "300"), path
            assert WORDS in text_of(answer)
            assert "no-store" in answer["Cache-Control"]
    revoked = scene.owner.post(f"/keys/{scene.key.api_key.pk}/revoke")
    assert revoked.status_code == 503
    scene.key.api_key.refresh_from_db()
    assert scene.key.api_key.revoked_at is None


def test_everything_else_goes_on_while_the_pages_are_closed(
    scene: Scene, settings: Settings
) -> None:
    settings.STRIPE = STRIPE
    turn_off(PAGES)
    operator = browser_of(make_operator())

    for path in ("/", "/pricing", "/docs", "/status", "/status.json", "/login/", "/signup/"):
        assert Client().get(path).status_code == 200, path
    assert Client().get("/overview")["Location"].startswith("/login/")
    assert Client().post("/stripe/events").status_code == 400  # not of Stripe, so it was looked at
    assert scene.owner.get("/mfa/totp/activate/").status_code != 503
    assert scene.owner.post("/logout/").status_code == 302
    assert operator.get("/mfa/reauthenticate/?next=/ops/").status_code == 200
    assert operator.get(LIST).status_code == 200
    form = {"feature": "pages", "reason": "it is done"}
    assert operator.post(ON_PAGE, form).status_code == 302
    assert scene.colleague.get("/overview").status_code == 200


def test_who_belongs_to_no_account_reads_the_same_page() -> None:
    turn_off(PAGES)

    assert PAGES.said in text_of(browser_of(make_user()).get("/overview"))
