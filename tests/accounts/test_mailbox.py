"""Without a mail server, mail is kept where its reader finds it, and nowhere else."""

import pytest
from django.conf import LazySettings
from django.core.mail import send_mail
from django.test import Client

from dashboard import mailbox

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_mail_server(settings: LazySettings) -> None:
    settings.EMAIL_BACKEND = "dashboard.mailbox.Backend"
    for path in mailbox.folder().glob("*.eml"):
        path.unlink()


def test_mail_is_shown_newest_first_with_its_code(client: Client) -> None:
    send_mail("First", "Your code:\n\nABC-DEF\n\nBye", None, ["one@example.com"])
    send_mail("Zweite für Jörg", "No code here", None, ["two@example.com"])

    page = client.get("/mailbox").content.decode()

    assert page.index("Zweite für Jörg") < page.index("First")
    assert 'data-copy="ABC-DEF"' in page
    assert [mail.code for mail in mailbox.mails()] == ["", "ABC-DEF"]


def test_mail_is_for_the_owner_of_the_folder_alone() -> None:
    send_mail("Subject", "Text", None, ["one@example.com"])

    [path] = mailbox.folder().iterdir()

    assert path.stat().st_mode & 0o777 == 0o600


def test_only_the_newest_are_kept() -> None:
    for number in range(mailbox.KEPT + 3):
        send_mail(f"Mail {number}", "Text", None, ["one@example.com"])

    kept = mailbox.mails()

    assert len(kept) == mailbox.KEPT
    assert kept[0].subject == f"Mail {mailbox.KEPT + 2}"


def test_a_mailbox_that_is_not_open_is_not_there(client: Client, settings: LazySettings) -> None:
    settings.MAILBOX_OPEN = False

    assert client.get("/mailbox").status_code == 404
    assert "mailbox" not in client.get("/signup/").content.decode()


def test_what_a_mail_says_is_never_markup(client: Client) -> None:
    send_mail("<b>bold</b>", "<script>alert(1)</script>", None, ["one@example.com"])

    page = client.get("/mailbox").content.decode()

    assert "<script>alert" not in page
    assert "<b>bold" not in page
