"""No secret is in the files of the project, and what would be one is noticed."""

import secrets
import string

import pytest

from accounts import keys
from tests.platform.secret_scan import findings
from tests.test_architecture import name_of, tracked

LETTERS = string.ascii_letters + string.digits
BINARY = {".png", ".woff2", ".ico", ".gz"}


def random(length: int, letters: str = LETTERS) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))


def real_ones() -> dict[str, str]:
    """Made up just now, in the shapes of real ones."""
    digits = random(24, string.digits)
    return {
        "ours": keys.generate(),
        "Stripe": f"sk_live_{random(24)}",
        "webhooks": f"whsec_{random(32)}",
        "OpenAI": f"sk-proj-{random(40)}",
        "OpenRouter": f"sk-or-v1-{secrets.token_hex(32)}",
        "AWS": f"AKIA{random(16, string.ascii_uppercase + '234567')}",
        "GitHub": f"ghp_{random(36)}",
        "Slack": f"xoxb-{digits[:12]}-{random(24)}",
        "a database": f"postgresql://keyplex:{random(16)}@db.internal/keyplex",
        "a setting": f"KEYPLEX_AUDIT_KEY_SECRET={secrets.token_hex(32)}",
        "code": f'password = "{random(32)}"',
        "a private key": "-----BEGIN " + "EC PRIVATE KEY-----",
    }


@pytest.mark.parametrize("whose", real_ones())
def test_a_secret_is_noticed_and_not_told(whose: str) -> None:
    secret = real_ones()[whose]

    [found, *_] = findings(["nothing here", f"+  {secret}"])

    assert found.startswith("line 2: ")
    assert secret not in found or len(secret) < 32


def test_an_example_that_says_so_is_none() -> None:
    told = [
        "sk_live_abcdefghijklmnop0123",
        "whsec_example_of_a_secret_that_is_none",
        "AKIA" + 4 * "2B4D",
    ]

    assert list(findings(told)) == []


def test_no_file_holds_a_secret() -> None:
    found = {
        name_of(path): list(findings(path.read_text(errors="replace").splitlines()))
        for path in tracked()
        if path.suffix not in BINARY
    }

    assert len(found) > 500
    assert {name: secrets for name, secrets in found.items() if secrets} == {}
