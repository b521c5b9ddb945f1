"""Whatever is logged, by whomever: a line for people or an object, and never a secret."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from accounts import keys
from dashboard.log_lines import JSONLine, Line, ours
from dashboard.logging_setup import FORMATTERS, logging_setup
from tests.gateway.site import Site
from tests.people import make_key
from tests.webhooks.things import make_endpoint

REQUEST_ID = "req_0198c0ffee00123456789abcdef0"
PASSWORD = "correct horse battery staple 42"
STRIPE_KEY = "sk_test_51Nabcdefghijklmnopqr"
PROVIDER = "provider-credential-0123456789"
FORMATS = sorted(FORMATTERS)
SECRETS = {
    "a key": keys.generate(),
    "a key of Stripe": "sk_live_51NabcdefghijklmnopqrSTUV",
    "a restricted key of Stripe": "rk_test_51NabcdefghijklmnopqrSTUV",
    "a webhook secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "one of base64's other signs": "whsec_br3/tqK3Q0Fu5NiMV081bixC+1+/D9N1rNMdKYeLarI=",
    "the secret key": settings.SECRET_KEY,
    "the pepper": settings.KEY_PEPPER,
    "the key of the audit log": settings.AUDIT_KEY,
    "a credential of a provider": PROVIDER,
    "a bearer token": "Bearer 0123456789abcdefghij",
}


@pytest.fixture(autouse=True)
def _credential(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SOME_PROVIDER_API_KEY", PROVIDER)
    ours.cache_clear()
    yield
    ours.cache_clear()


class Log:
    """A logger with a handler of ours, and what it wrote."""

    def __init__(self, form: str) -> None:
        self.written = io.StringIO()
        formatter = JSONLine() if form == "json" else Line(FORMATTERS["line"]["format"])
        handler = logging.StreamHandler(self.written)
        handler.setFormatter(formatter)
        self.logger = logging.Logger("somebody")
        self.logger.addHandler(handler)

    @property
    def text(self) -> str:
        return self.written.getvalue()


@pytest.fixture(params=FORMATS)
def log(request: pytest.FixtureRequest) -> Log:
    return Log(request.param)


@pytest.mark.parametrize("kind", SECRETS)
def test_no_secret_reaches_a_line(log: Log, kind: str) -> None:
    secret = SECRETS[kind]
    try:
        try:
            raise ValueError(f"{secret} is no number")
        except ValueError as error:
            raise RuntimeError({"said": secret}) from error
    except RuntimeError:
        log.logger.exception("%s was refused with %r", REQUEST_ID, {"key": [secret]})
    log.logger.warning(f"https://x.example/?key={secret}&more")
    log.logger.error("too few: %s %s", secret)

    assert "was refused" in log.text
    assert "Traceback" in log.text
    assert "[redacted]" in log.text
    assert secret not in log.text
    assert secret[9:] not in log.text


@pytest.mark.parametrize(
    "said",
    [
        "password=hunter2-hunter2",
        "{'password': 'hunter2-hunter2'}",
        '{"client_secret": "hunter2-hunter2"}',
        "Authorization: Basic hunter2-hunter2",
        "api_key = hunter2-hunter2",
        "connecting to redis://:hunter2-hunter2@cache.example:6379/0",
        "connecting to postgresql://keyplex:hunter2-hunter2@db/keyplex",
    ],
)
def test_what_is_called_a_password_is_none_that_can_be_read(log: Log, said: str) -> None:
    log.logger.error(said)
    log.logger.error("%s", said)

    assert "hunter2" not in log.text


def test_what_is_no_secret_stays(log: Log) -> None:
    log.logger.info("%s: 12 tokens, key 7 of account 3 on /v1/chat/completions", REQUEST_ID)

    assert f"{REQUEST_ID}: 12 tokens, key 7 of account 3 on /v1/chat/completions" in log.text


def test_a_message_cannot_pretend_to_be_two(log: Log) -> None:
    log.logger.warning("no such model: %s", "x\n2026-01-01 ERROR root all is lost\x1b[31m")

    [line] = log.text.splitlines()
    assert "\x1b" not in line


def test_json_says_when_where_and_about_which_request() -> None:
    log = Log("json")
    try:
        raise LookupError("gone")
    except LookupError:
        log.logger.exception("%s failed", REQUEST_ID)
    log.logger.info("ready")

    failed, ready = map(json.loads, log.text.splitlines())
    assert failed["time"].endswith("+00:00")
    assert (failed["level"], failed["logger"]) == ("error", "somebody")
    assert failed["request_id"] == REQUEST_ID
    assert "LookupError: gone" in failed["error"]
    assert set(ready) == {"time", "level", "logger", "message", "process"}


def test_another_format_than_these_is_refused() -> None:
    with pytest.raises(ValueError, match="KEYPLEX_LOG_FORMAT is line or json, not xml"):
        logging_setup({"KEYPLEX_LOG_FORMAT": "xml"})


@pytest.fixture(params=FORMATS)
def site(
    request: pytest.FixtureRequest, transactional_db: None, tmp_path: Path
) -> Iterator[tuple[Site, str]]:
    """A site that says all it can, and in which format."""
    verbose = {"KEYPLEX_LOG_LEVEL": "DEBUG", "KEYPLEX_LOG_FORMAT": request.param}
    stripe = {"STRIPE_SECRET_KEY": STRIPE_KEY}
    site = Site(workers=1, output=tmp_path / "web.log", settings=verbose | stripe)
    site.start()
    yield site, request.param
    assert site.stop() == 0


def test_what_people_do_on_a_site_leaves_no_secret_in_its_log(site: tuple[Site, str]) -> None:
    running, form = site
    key = make_key()
    _, whsec = make_endpoint(key.account)
    chat = {"model": key.plaintext, "messages": [{"role": "user", "content": whsec}]}
    sign(running, "/signup/", password1=PASSWORD)
    sign(running, "/login/", password=PASSWORD)
    with httpx.Client(base_url=running.url, timeout=20) as client:
        client.post("/v1/chat/completions", headers=key.headers, json=chat)
        client.post(f"/v1/chat/completions?api_key={key.plaintext}", json=chat)
        client.get(f"/nowhere?api_key={key.plaintext}&secret={whsec}")
        client.get(f"/{key.plaintext}/{whsec}")
        client.post("/stripe/events", content=whsec, headers={"Stripe-Signature": whsec})
    assert running.output is not None
    text = running.output.read_text()

    assert "Not Found: /nowhere" in text
    assert "Not Found: /[redacted]" in text
    for secret in (key.plaintext, whsec, PASSWORD, STRIPE_KEY, settings.SECRET_KEY):
        assert secret not in text
    found = [line for line in text.splitlines() if "Not Found" in line]
    assert all(line.startswith("{") == (form == "json") for line in found)


def sign(site: Site, path: str, **fields: str) -> None:
    """Fill in a form of those who come in."""
    with httpx.Client(base_url=site.url, timeout=20) as browser:
        assert browser.get(path).status_code == 200
        fields |= {"email": "bea@example.com", "login": "bea@example.com"}
        browser.post(path, data=fields | {"csrfmiddlewaretoken": browser.cookies["csrftoken"]})
