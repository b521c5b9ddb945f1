"""Are the settings those of an installation that others may reach?"""

import platform
import stat
import sys
from collections.abc import Iterator
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import get_connection

from dashboard.doctor.finding import Finding, broken, fine, look
from dashboard.instance import SECRETS

OLDEST_PYTHON = (3, 11)
SHORTEST_SECRET = 32  # characters
PATIENCE = 10  # seconds for the mail server


def python() -> Iterator[Finding]:
    version = platform.python_version()
    if sys.version_info < OLDEST_PYTHON:
        yield broken(f"Python {version} is too old.", "Install 3.11 or newer.")
    else:
        yield fine(f"Python {version}.")


def address() -> Iterator[Finding]:
    url = settings.PUBLIC_URL
    if settings.ONLY_HERE:
        yield fine(f"Only this machine reaches {url}: good to try things out.")
    elif settings.OVER_TLS:
        yield fine(f"The public address is {url}.")
    else:
        yield broken(
            f"{url} sends passwords and keys in the clear.",
            "Put a proxy with a certificate in front, and set KEYPLEX_URL=https://…",
        )


def debug() -> Iterator[Finding]:
    if not settings.DEBUG:
        yield fine("Debug pages are off.")
    elif settings.ONLY_HERE:
        yield look("Debug pages are on.", "Unset KEYPLEX_DEBUG unless you are working on the code.")
    else:
        yield broken("Debug pages show settings to everybody.", "Unset KEYPLEX_DEBUG.")


def secrets() -> Iterator[Finding]:
    """Each long, each another one, and none where others can read it."""
    kept = {name: settings.INSTANCE.secret(name) for name in SECRETS}
    short = [name for name, secret in kept.items() if len(secret) < SHORTEST_SECRET]
    shared = [name for name, secret in kept.items() if list(kept.values()).count(secret) > 1]
    for name in short:
        yield broken(
            f"KEYPLEX_{name.upper()} is shorter than {SHORTEST_SECRET} characters.",
            "Make another: python -c 'import secrets; print(secrets.token_urlsafe(48))'",
        )
    if shared:
        yield broken(
            f"{', '.join(shared)} are one and the same secret.", "Give each purpose one of its own."
        )
    file = settings.INSTANCE.data / "secrets.json"
    if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077:
        yield broken(f"Others on this host can read {file}.", f"chmod 600 {file}")
    elif not short and not shared:
        yield fine(f"{len(kept)} secrets, each long and for one purpose.")


def mail() -> Iterator[Finding]:
    """Nobody can sign up without mail, and nobody may read that of others."""
    if settings.EMAIL_HOST:
        yield from mail_server()
    elif settings.ONLY_HERE and settings.MAILBOX_OPEN:
        yield fine("Mail goes to the page /mailbox.")
    else:
        yield broken(
            "There is no mail server, so no code reaches anybody.", "Set KEYPLEX_SMTP_HOST."
        )
    if settings.MAILBOX_OPEN and not settings.ONLY_HERE:
        yield broken(
            "Everybody can read all mail, codes to sign in with too, on /mailbox.",
            "Unset KEYPLEX_MAILBOX.",
        )


def mail_server() -> Iterator[Finding]:
    where = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    connection = get_connection(timeout=PATIENCE)
    try:
        connection.open()
    except (OSError, SMTPException) as error:
        yield broken(f"The mail server {where} does not let us in: {error}", "See KEYPLEX_SMTP_….")
    else:
        yield fine(f"The mail server {where} lets us in.")
    finally:
        connection.close()
