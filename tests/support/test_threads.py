"""The members of an account follow what any of them asked; nobody of another account does."""

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.audit import SYSTEM, AuditEntry
from accounts.models import Account, Membership
from dashboard.account_export import contents
from dashboard.models import SupportLetter, SupportMessage, SupportRequest
from dashboard.support.letters import send_due
from dashboard.support.requests import FORGOTTEN_AFTER
from tests.dashboard.conftest import Scene, browser_of, text_of
from tests.people import make_account, make_colleague, make_user
from tests.support.conftest import WHO, make_request


def of_the_account(scene: Scene, **facts: object) -> SupportRequest:
    return make_request(account=scene.key.account, **facts)


def states(asked: SupportRequest) -> str:
    asked.refresh_from_db()
    return asked.state


def test_owner_and_colleague_see_it_and_a_stranger_does_not(scene: Scene) -> None:
    asked = of_the_account(scene, text="Why is it so?")
    page = f"/help/requests/{asked.number}"

    for member in (scene.owner, scene.colleague):
        assert asked.number in text_of(member.get("/help/requests"))
        assert "Why is it so?" in text_of(member.get(page))
    assert asked.number not in text_of(scene.stranger.get("/help/requests"))
    assert scene.stranger.get(page).status_code == 404
    assert scene.stranger.post(page, {"text": "Mine."}).status_code == 404
    assert scene.stranger.post(f"{page}/close").status_code == 404
    assert (states(asked), asked.messages.count()) == ("open", 1)


@pytest.mark.parametrize("number", ["SR-1", "1", "SR-99999999999999", "x", "SR-0000000001042"])
def test_what_is_no_number_finds_nothing(scene: Scene, number: str) -> None:
    assert scene.owner.get(f"/help/requests/{number}").status_code == 404


def test_whoever_belongs_to_no_account_sees_what_they_wrote_and_nothing_else() -> None:
    user, other = make_user("alone"), make_user("alone")
    asked = make_request(author=user)
    browser = browser_of(user)

    assert "It fails." in text_of(browser.get(f"/help/requests/{asked.number}"))
    assert browser_of(other).get(f"/help/requests/{asked.number}").status_code == 404
    assert Client().get(f"/help/requests/{asked.number}").status_code == 302


def test_an_address_alone_shows_nobody_what_was_written_with_it(scene: Scene) -> None:
    owner = scene.key.account.members.get(memberships__role="owner")
    asked = make_request(email=owner.email)

    assert scene.owner.get(f"/help/requests/{asked.number}").status_code == 404


def test_question_answer_reply_and_end(scene: Scene) -> None:
    asked = of_the_account(scene)
    page = f"/help/requests/{asked.number}"

    asked.answer("Try again.", by=SYSTEM)
    seen = states(asked), text_of(scene.colleague.get(page))
    scene.colleague.post(page, {"text": "It works."})
    replied = states(asked)
    scene.owner.post(f"{page}/close")
    closed = states(asked), text_of(scene.owner.get(page))
    scene.colleague.post(page, {"text": "Not any more."})

    assert seen[0] == "answered"
    assert "Keyplex support" in seen[1]
    assert "Try again." in seen[1]
    assert (replied, closed[0], states(asked)) == ("open", "closed", "open")
    assert "Reply, and open it again" in closed[1]
    said = [message.text for message in asked.messages.all()]
    assert said == ["It fails.", "Try again.", "It works.", "Not any more."]


def test_an_answer_to_who_is_not_known_is_mailed_with_the_number() -> None:
    asked = make_request()
    send_due()
    asked.answer("Use <stream>.", by=SYSTEM)
    mail.outbox.clear()

    assert (send_due(), send_due()) == (1, 0)

    [letter] = mail.outbox
    assert letter.to == [WHO]
    assert letter.subject == f"{asked.number}: our answer"
    assert "Use <stream>." in letter.body
    assert "/help/requests" not in letter.body


def test_after_the_writer_has_left_answers_go_to_who_answers_for_the_account() -> None:
    owner = make_user()
    account = make_account(owner)
    colleague = make_colleague(account, "viewer")
    asked = make_request(account=account, author=colleague, email=colleague.email)
    stays = list(asked.readers)

    Membership.objects.get(user=colleague).leave(by=SYSTEM)
    left = list(asked.readers)
    colleague.delete()
    asked.refresh_from_db()

    assert stays == [colleague.email]
    assert left == list(asked.readers) == [owner.email]


def test_the_same_said_twice_is_said_once(scene: Scene) -> None:
    asked = of_the_account(scene)
    page = f"/help/requests/{asked.number}"
    owner = scene.key.account.members.get(memberships__role="owner")

    for _ in range(2):
        assert scene.owner.post(page, {"text": "More."}).status_code == 302
    asked.close(by=SYSTEM)
    assert not asked.close(by=SYSTEM)
    asked.reply("More.", writer=owner)

    assert asked.messages.count() == 2
    assert states(asked) == "closed"
    assert AuditEntry.objects.filter(action="support.closed").count() == 1


def test_an_empty_reply_is_asked_for_again(scene: Scene) -> None:
    asked = of_the_account(scene)

    answer = scene.owner.post(f"/help/requests/{asked.number}", {"text": " "})

    assert answer.status_code == 422
    assert "Write something first." in text_of(answer)


def test_what_was_said_is_shown_as_text_and_named_by_who_said_it(scene: Scene) -> None:
    asked = of_the_account(scene, text="<b>1</b>\r\n2")
    page = scene.owner.get(f"/help/requests/{asked.number}").content.decode()

    assert "&lt;b&gt;1&lt;/b&gt;\n2" in page


def test_many_are_shown_page_by_page(scene: Scene) -> None:
    for number in range(51):
        of_the_account(scene, text=f"Question {number} is this.")

    first, second = (text_of(scene.owner.get(f"/help/requests?page={n}")) for n in (1, 2))

    assert "Question 50 is this." in first
    assert "Question 0 is this." not in first
    assert "Question 0 is this." in second


def test_a_year_after_its_last_word_it_is_forgotten_unless_it_is_open() -> None:
    old = timezone.now() - FORGOTTEN_AFTER - timedelta(hours=1)
    ages = [(state, at) for state in ("open", "answered", "closed") for at in (old, None)]
    for state, at in ages:
        asked = make_request(text=f"{state} {'old' if at else 'new'}")
        SupportRequest.objects.filter(pk=asked.pk).update(
            state=state, changed_at=at or asked.changed_at
        )

    SupportRequest.objects.forget(timezone.now())

    kept = set(SupportMessage.objects.values_list("text", flat=True))
    assert kept == {"open old", "open new", "answered new", "closed new"}


def test_an_account_takes_its_requests_along_and_leaves_none_behind() -> None:
    account, other = make_account(), make_account()
    make_request(account=account, text="Ours.").answer("So it is.", by=SYSTEM)
    make_request(account=other, text="Theirs.")

    files = dict(contents(account, timezone.now()))
    [exported] = files["support.json"]
    Account.objects.get(pk=account.pk).support_requests.all().delete()

    assert "Ours." in exported
    assert '"by": "support"' in exported
    assert "Theirs." not in exported
    assert SupportMessage.objects.get().text == "Theirs."
    assert {letter.about.text for letter in SupportLetter.objects.all()} == {"Theirs."}
