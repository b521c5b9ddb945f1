"""What operators announce stands on top of pages until its end, or until somebody puts it away."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.audit import SYSTEM, AuditEntry
from accounts.models import User
from dashboard import announcements
from dashboard.announcements import TOLD
from dashboard.models import Announcement
from dashboard.tasks import post_again
from tests.dashboard.conftest import Scene, browser_of, part, scene, text_of
from tests.operators import as_operator

__all__ = ["scene"]
pytestmark = pytest.mark.django_db
LIST = "/ops/dashboard/announcement/"
TEXT = "Two new models are here."
FORM = {"text": TEXT, "tone": "info", "audience": "members"}
HOUR = timedelta(hours=1)
WRONG: list[tuple[dict[str, str], str]] = [
    ({"text": ""}, "Say something."),
    ({"text": "x" * 301}, "at most 300 characters"),
    ({"link": "javascript:alert(1)", "link_words": "Go"}, "Write an address here"),
    ({"link": "//odd.example", "link_words": "Go"}, "Write an address here"),
    ({"link": "/\\odd.example", "link_words": "Go"}, "Write an address here"),
    ({"link": "http://odd.example", "link_words": "Go"}, "Write an address here"),
    ({"link": "/docs"}, "needs both its address and its words"),
    ({"link_words": "Go"}, "needs both its address and its words"),
    ({"audience": "nobody"}, "Select a valid choice."),
    ({"ends_at": "2001-01-01T00:00"}, "Choose a moment after its start, and to come."),
    ({"starts_at": "2999-02-01T00:00", "ends_at": "2999-01-01T00:00"}, "after its start"),
]


@pytest.fixture(autouse=True)
def _nothing_is_told() -> Iterator[None]:
    cache.clear()
    TOLD.put([])
    yield
    TOLD.put([])


@pytest.fixture
def operator() -> Client:
    return as_operator(Client())


def announce(text: str = TEXT, **told: object) -> Announcement:
    made = Announcement.objects.create(text=text, created_by="operator", **told)
    announcements.renew()
    return made


def test_members_read_it_on_each_of_their_pages_and_visitors_do_not(
    operator: Client, scene: Scene
) -> None:
    link = {"link": "/docs/models", "link_words": "Which ones"}

    answer = operator.post(f"{LIST}announce/", {**FORM, **link}, follow=True)

    assert f"Announced: {TEXT}" in text_of(answer)
    for person in (scene.owner, scene.colleague, scene.stranger):
        for path in ("/overview", "/settings", "/keys"):
            page = person.get(path)
            assert TEXT in text_of(page), path
            assert '<a class="link" href="/docs/models">Which ones</a>' in page.content.decode()
    assert TEXT not in text_of(Client().get("/"))
    assert TEXT not in text_of(scene.owner.get("/pricing"))


def test_everybody_reads_what_is_for_everybody(scene: Scene) -> None:
    announce(audience="everybody", tone="warn")

    for path in ("/", "/pricing", "/docs", "/status"):
        assert f"Please note. {TEXT}" in text_of(Client().get(path)), path
    assert TEXT in text_of(scene.owner.get("/overview"))
    assert "Put away" not in text_of(Client().get("/"))
    assert "Put away" in text_of(scene.owner.get("/"))


def test_what_somebody_puts_away_never_comes_back_for_them(scene: Scene) -> None:
    first = announce()
    away = f"/announcements/{first.pk}/put-away"

    plain = scene.owner.post(away, {"back": "/keys?q=a"})
    again = scene.owner.post(away, headers=part("x"))

    assert plain["Location"] == "/keys?q=a"
    assert (again.status_code, again.content) == (200, b"")
    owner = User.objects.get(memberships__role="owner", memberships__account=scene.key.account)
    for browser in (scene.owner, browser_of(owner)):
        assert TEXT not in text_of(browser.get("/overview"))
    assert TEXT in text_of(scene.colleague.get("/overview"))
    assert TEXT in text_of(scene.stranger.get("/overview"))
    announce("And a third one.")
    first.change(text="Two new models, and faster.", by=SYSTEM)
    announcements.renew()
    page = text_of(scene.owner.get("/overview"))
    assert "And a third one." in page
    assert "and faster" not in page


@pytest.mark.parametrize("back", ["", "//odd.example/", "https://odd.example", "javascript:1", "x"])
def test_putting_away_leads_to_no_other_site(scene: Scene, back: str) -> None:
    answer = scene.owner.post(f"/announcements/{announce().pk}/put-away", {"back": back})

    assert answer["Location"] == "/overview"


def test_what_is_over_or_withdrawn_or_not_yet_is_not_told(scene: Scene) -> None:
    now = timezone.now()
    announce("Over.", starts_at=now - 2 * HOUR, ends_at=now - HOUR)
    announce("To come.", starts_at=now + HOUR)
    announce("Withdrawn.", withdrawn_at=now)
    told = announce("Told.", ends_at=now + HOUR)

    page = text_of(scene.owner.get("/overview"))
    found = [words for words in ("Over.", "To come.", "Withdrawn.", "Told.") if words in page]

    assert found == ["Told."]
    assert [told.state for told in Announcement.objects.order_by("pk")] == [
        *("over", "to come", "withdrawn", "shown")
    ]
    gone = scene.owner.post(f"/announcements/{told.pk - 1}/put-away")
    assert gone.status_code == 404


def test_no_page_asks_the_database_for_it(scene: Scene) -> None:
    announce(audience="everybody")
    scene.owner.get("/overview")

    with CaptureQueriesContext(connection) as asked:
        page = scene.owner.get("/overview")
        Client().get("/docs")

    assert TEXT in text_of(page)
    assert not [query for query in asked.captured_queries if "announcement" in query["sql"]]


def test_what_redis_has_lost_is_told_again_within_the_minute(scene: Scene) -> None:
    announce()
    TOLD.put([])

    post_again()

    assert TEXT in text_of(scene.owner.get("/overview"))


def test_an_operator_changes_it_and_withdraws_it_and_each_is_on_record(
    operator: Client, scene: Scene
) -> None:
    operator.post(f"{LIST}announce/", FORM)
    made = Announcement.objects.get()

    changed = operator.post(f"{LIST}{made.pk}/say/", {**FORM, "text": "Three."}, follow=True)
    reads = text_of(scene.owner.get("/overview"))
    withdrawn = operator.post(f"{LIST}{made.pk}/withdraw/", follow=True)
    again = operator.post(f"{LIST}{made.pk}/withdraw/")

    assert "Changed: Three." in text_of(changed)
    assert "Three." in reads
    assert "Withdrawn: Three." in text_of(withdrawn)
    assert "Three." not in text_of(scene.owner.get("/overview"))
    assert (again.status_code, "It was withdrawn." in text_of(again)) == (422, True)
    assert "It was withdrawn." in text_of(operator.get(f"{LIST}{made.pk}/say/"))
    entries = AuditEntry.objects.filter(action__startswith="announcement.").order_by("number")
    assert [(entry.action, entry.about, entry.actor) for entry in entries] == [
        ("announcement.made", TEXT, "operator operator@example.com"),
        ("announcement.changed", "Three.", "operator operator@example.com"),
        ("announcement.withdrawn", "Three.", "operator operator@example.com"),
    ]


def test_what_is_wrong_is_said_and_nothing_is_told(operator: Client) -> None:
    for said, complaint in WRONG:
        answer = operator.post(f"{LIST}announce/", {**FORM, **said})
        assert (answer.status_code, complaint in text_of(answer)) == (422, True), said

    assert not Announcement.objects.exists()


def test_what_cannot_be_said_changes_nothing() -> None:
    made = announce(link="https://news.example/a", link_words="More")

    with pytest.raises(ValidationError):
        made.change(link="javascript:alert(1)", by=SYSTEM)

    made.refresh_from_db()
    assert made.link == "https://news.example/a"


def test_words_are_words_and_never_markup(scene: Scene) -> None:
    announce("<b>Bold</b> & <script>alert(1)</script>")

    assert "&lt;b&gt;Bold&lt;/b&gt; &amp; &lt;script&gt;" in (
        scene.owner.get("/overview").content.decode()
    )


def test_nobody_but_operators_who_may_announces_anything(scene: Scene) -> None:
    made = announce()
    clerk = as_operator(Client(), User.objects.create_user("c@example.com", "x", is_staff=True))
    people = [scene.owner, scene.colleague, scene.stranger, Client(), clerk]

    for address in (f"{LIST}announce/", f"{LIST}{made.pk}/say/", f"{LIST}{made.pk}/withdraw/"):
        answers = [person.post(address, {**FORM, "text": "Ha."}).status_code for person in people]
        assert answers == [403, 403, 403, 302, 403], address
    made.refresh_from_db()
    assert (made.text, made.withdrawn_at) == (TEXT, None)
    assert Announcement.objects.count() == 1
    assert Client().post(f"/announcements/{made.pk}/put-away").status_code == 302
    assert not made.put_away_by.exists()
