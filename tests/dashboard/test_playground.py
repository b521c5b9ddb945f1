"""The Playground: calls by session, on the way of every call, for those who may make keys."""

import contextlib
import json
import re
import time

import httpx
import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.audit import SYSTEM
from accounts.models import Account, APIKey, Membership, User
from tests.dashboard.conftest import Scene
from tests.dashboard.players import HELLO, Said, SignIn, sign_in
from tests.gateway.conftest import Recorded, load_catalog, recorded, running_site, site
from tests.gateway.site import Site
from tests.naughty_strings import NAUGHTY
from tests.people import make_account, make_colleague, make_plan, make_user
from usage.models import RequestLog
from usage.recorder import Recorder

__all__ = ["recorded", "running_site", "sign_in", "site"]
Role = Membership.Role
POSTS = ["ask", "stream", "preview", "code", "allow"]
TURNS = [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}]


@pytest.fixture
def owner(transactional_db: None) -> User:
    user = make_user()
    make_account(user)
    return user


def account_of(user: User) -> Account:
    return user.accounts.get()


def api_key_of(user: User) -> APIKey:
    return account_of(user).api_keys.get(playground=True, revoked_at=None)


def once_recorded(account: Account) -> RequestLog:
    """The row of the only call of an account, once that has ended."""
    for _ in range(300):
        Recorder(settings.JOURNAL_DIR).run_once()
        row = RequestLog.objects.filter(account=account).first()
        if row:
            return row
        time.sleep(0.05)
    raise AssertionError("the call never ended")


def test_a_stream_arrives_in_pieces_and_stands_in_the_log_as_the_playground(
    sign_in: SignIn, owner: User, recorded: Recorded
) -> None:
    browser = sign_in(owner)
    data = HELLO | {"model": "keyplex/slow", "csrfmiddlewaretoken": browser.token}

    with browser.http.stream("POST", "/playground/stream", data=data) as answer:
        pieces = list(answer.iter_raw())

    assert answer.status_code == 200
    assert len(pieces) > 3
    assert b"[DONE]" not in pieces[0]
    assert pieces[-1].endswith(b"data: [DONE]\n\n")
    assert b'"completion_tokens":' in b"".join(pieces)
    assert answer.headers["x-ratelimit-limit-requests"] == "10000"
    assert answer.headers["x-accel-buffering"] == "no"
    assert "access-control-allow-origin" not in answer.headers
    row = recorded(answer.headers["x-request-id"])
    assert (row.outcome, row.streamed, row.account_id) == ("ok", True, account_of(owner).pk)
    assert row.api_key_id == api_key_of(owner).pk
    assert row.admitted
    assert row.decision["limits"]
    log = browser.http.get(f"/logs/{row.request_id}").text
    assert "Playground" in log


def test_without_a_script_the_whole_answer_is_on_the_page(
    sign_in: SignIn, owner: User, recorded: Recorded
) -> None:
    browser = sign_in(owner)

    page = browser.post("ask", past=json.dumps(TURNS))

    assert page.status_code == 200
    assert Said(page.text).texts[:4] == ["one", "two", "Hello, world!", "Hello, world!"]
    [request_id] = set(re.findall(r"/logs/(req_\w{28})", page.text))
    assert recorded(request_id).total_tokens == 9
    assert "x-ratelimit-remaining-tokens:" in page.text
    remembered = re.search(r'name="past" value="([^"]*)"', page.text)
    assert remembered
    assert json.loads(remembered[1].replace("&quot;", '"')) == [
        *TURNS,
        {"role": "user", "content": "Hello, world!"},
        {"role": "assistant", "content": "Hello, world!"},
    ]


def test_two_models_answer_side_by_side(sign_in: SignIn, owner: User) -> None:
    page = sign_in(owner).post("ask", beside="keyplex/503")

    assert Said(page.text).texts[:3] == ["Hello, world!"] * 3
    assert "model_unavailable" in page.text


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN, Role.DEVELOPER])
def test_who_may_make_keys_may_play(sign_in: SignIn, owner: User, role: str) -> None:
    account = account_of(owner)
    browser = sign_in(owner if role == Role.OWNER else make_colleague(account, role))

    assert browser.http.get("/playground").status_code == 200
    assert browser.post("stream").status_code == 200
    assert account_of(owner).api_keys.filter(playground=True).count() == 1


@pytest.mark.parametrize("role", [Role.BILLING, Role.VIEWER])
def test_others_are_refused_before_anything_is_looked_up(
    sign_in: SignIn, owner: User, role: str
) -> None:
    browser = sign_in(make_colleague(account_of(owner), role))

    answers = [browser.http.get("/playground"), *(browser.post(name) for name in POSTS)]

    assert [answer.status_code for answer in answers] == [403] * 6
    assert not account_of(owner).api_keys.exists()
    assert 'data-go="p"' not in browser.http.get("/overview").text


def test_a_stranger_plays_on_an_account_of_their_own(
    sign_in: SignIn, owner: User, recorded: Recorded
) -> None:
    stranger = make_user("stranger")
    make_account(stranger)

    answer = sign_in(stranger).post("stream")

    row = recorded(answer.headers["x-request-id"])
    assert row.account_id == account_of(stranger).pk
    assert sign_in(owner).http.get(f"/logs/{row.request_id}").status_code == 404


@pytest.mark.parametrize("name", POSTS)
def test_a_form_of_another_site_is_refused(sign_in: SignIn, owner: User, name: str) -> None:
    browser = sign_in(owner)

    for token in ("", "x" * 64):
        answer = browser.http.post(
            f"/playground/{name}", data=HELLO | {"csrfmiddlewaretoken": token}
        )
        assert answer.status_code == 403
    assert browser.http.get(f"/playground/{name}").status_code == 405
    assert not account_of(owner).api_keys.exists()


def test_who_is_not_signed_in_is_asked_to(sign_in: SignIn, owner: User) -> None:
    browser = sign_in(owner)
    browser.http.cookies.delete("sessionid")

    answers = [browser.http.get("/playground"), *(browser.post(name) for name in POSTS)]

    assert {answer.status_code for answer in answers} == {302}


def test_a_suspended_account_cannot_play_and_reads_why(
    sign_in: SignIn, owner: User, recorded: Recorded
) -> None:
    browser = sign_in(owner)
    assert browser.post("stream").status_code == 200

    account_of(owner).suspend(by=SYSTEM)

    refused = browser.post("stream")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "account_suspended")
    assert "This account is suspended." in browser.post("ask").text
    request_id = refused.headers["x-request-id"]
    assert recorded(request_id).error_code == "account_suspended"
    assert "This account is suspended." in browser.http.get(f"/logs/{request_id}").text


def test_a_limit_that_is_hit_is_explained(
    sign_in: SignIn, transactional_db: None, recorded: Recorded
) -> None:
    user = make_user()
    make_account(user, plan=make_plan("tight", requests_per_minute=1))
    browser = sign_in(user)
    foretold = browser.post("preview").text
    browser.post("stream")

    refused, page = browser.post("stream"), browser.post("ask").text

    assert "would pass" in foretold
    assert (refused.status_code, refused.headers["x-ratelimit-remaining-requests"]) == (429, "0")
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert "your plan allows 1 requests per minute" in page
    assert recorded(refused.headers["x-request-id"]).outcome == "refused"
    assert re.search(r'<a data-log href="/logs/req_\w{28}">Why\?</a>', page)
    assert "would be refused" in browser.post("preview").text


def test_a_preview_charges_nothing(sign_in: SignIn, owner: User, recorded: Recorded) -> None:
    browser = sign_in(owner)

    page = browser.post("preview", model="keyplex/slow").text

    assert "would be asked" in page
    assert "9,999" in page
    assert browser.post("stream").headers["x-ratelimit-remaining-requests"] == "9999"


@pytest.mark.parametrize("streamed", [True, False])
def test_whoever_leaves_ends_the_call(sign_in: SignIn, owner: User, streamed: bool) -> None:
    browser = sign_in(owner)
    data = HELLO | {"model": "keyplex/slow", "message": "word " * 400}
    data |= {"csrfmiddlewaretoken": browser.token, "stream": "on" if streamed else ""}

    with (
        contextlib.suppress(httpx.ReadTimeout),
        browser.http.stream("POST", "/playground/stream", data=data, timeout=2) as answer,
    ):
        next(answer.iter_raw())

    row = once_recorded(account_of(owner))
    assert row.outcome == "client_disconnect"
    assert row.streamed is streamed
    assert row.completion_tokens < 500


def test_a_revoked_playground_is_closed_until_it_is_opened(sign_in: SignIn, owner: User) -> None:
    browser = sign_in(owner)
    browser.post("stream")
    api_key_of(owner).revoke(by=SYSTEM)

    refused = browser.post("stream")

    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "key_revoked")
    assert "Let it work again" in browser.http.get("/playground").text
    assert browser.post("allow").headers["location"] == "/playground"
    assert browser.post("stream").status_code == 200


def test_its_key_cannot_be_sent(site: Site, sign_in: SignIn, owner: User) -> None:
    browser = sign_in(owner)
    browser.post("stream")
    digest = bytes(api_key_of(owner).digest).hex()

    for headers in (
        {"Authorization": f"Bearer {digest}"},
        {"Authorization": f"Bearer kpx_{digest[:48]}"},
        {"keyplex.vouched": digest},
        {"keyplex.vouched": digest, "Authorization": "Bearer no plaintext"},
    ):
        assert httpx.get(f"{site.url}/v1/key", headers=headers).status_code == 401
    for path in ("/playground", "/keys"):
        assert digest not in browser.http.get(path).text


def test_text_stays_text(sign_in: SignIn, owner: User) -> None:
    texts = [text for text in NAUGHTY if text.strip() and "\0" not in text]
    past = [{"role": "assistant", "content": text} for text in texts]
    message = "\n".join(text for text in texts if "<" in text or "javascript" in text)

    page = sign_in(owner).post("ask", past=json.dumps(past), message=message)

    assert page.status_code == 200
    said = Said(page.text)
    assert said.texts[: len(texts)] == texts
    assert said.texts[len(texts) :] == [message, message, ""]
    assert "<script>alert" not in page.text
    assert not said.tags & {"style", "iframe", "object"}
    assert "<img" not in page.text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", "no/such"),
        ("model", "text-embedding-3-small"),
        ("message", ""),
        ("temperature", "3"),
        ("temperature", "nan"),
        ("top_p", "-1"),
        ("max_tokens", "0"),
        ("past", "[1]"),
        ("past", '[{"role": "system", "content": "x"}]'),
        ("past", "{"),
    ],
)
def test_a_form_that_makes_no_sense_is_named_and_asks_nobody(
    scene: Scene, field: str, value: str
) -> None:
    load_catalog()
    answers = [
        scene.owner.post(f"/playground/{name}", HELLO | {field: value})
        for name in ("ask", "stream", "preview", "code")
    ]

    assert {answer.status_code for answer in answers} == {422}
    assert answers[1].json()["error"]["param"] == field
    assert not scene.key.account.api_keys.filter(playground=True).exists()


def test_the_page_asks_few_questions(scene: Scene) -> None:
    load_catalog()

    with CaptureQueriesContext(connection) as asked:
        scene.owner.get("/playground")

    ours = [query for query in asked if re.search("gateway_|accounts_apikey", query["sql"])]
    assert len(ours) == 3
