"""Every answer, whoever asks for whatever, tells the browser the same: one site, over TLS."""

import re
from collections.abc import Iterator

import httpx
import pytest
from django.conf import settings
from django.templatetags.static import static
from django.test import Client

from accounts.models import User
from dashboard.instance import ROOT
from dashboard.precautions import FILES
from tests.access.routes import Things
from tests.gateway.conftest import load_catalog
from tests.gateway.site import Site
from tests.people import make_account

HELLO = {"model": "keyplex/echo", "messages": [{"role": "user", "content": "Hi"}]}
YEAR = 365 * 24 * 3600
POLICY = {"base-uri": "'none'", "frame-ancestors": "'none'"}  # of everything, whatever else it says
DIRECT = ["/healthz", "/readyz", "/metrics", "/sandbox/v1/chat/completions", "/static/favicon.svg"]
SENT_WITH = {"secure", "httponly", "samesite=lax", "path=/"}


@pytest.fixture(scope="module")
def tls_site(django_db_setup: None, django_db_blocker: object) -> Iterator[Site]:
    """As behind a proxy that speaks TLS."""
    site = Site(workers=1, settings={"KEYPLEX_URL": "https://keys.example.com"})
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        site.start()
    yield site
    assert site.stop() == 0


def visitor(site: Site, user: User | None = None) -> httpx.Client:
    """A browser that came over TLS; signed in as ``user``."""
    client = httpx.Client(base_url=site.url, headers={"X-Forwarded-Proto": "https"}, timeout=30)
    if user:
        signed_in = Client()
        signed_in.force_login(user)
        session = signed_in.cookies[settings.SESSION_COOKIE_NAME].value
        client.headers["Cookie"] = f"__Host-sessionid={session}"
    return client


def complaints(answer: httpx.Response) -> Iterator[str]:
    """What an answer does not tell a browser, though it should."""
    headers = answer.headers
    parts = (
        part.strip().partition(" ")
        for part in headers.get("content-security-policy", "").split(";")
    )
    policy = {name: value for name, _, value in parts}
    if not POLICY.items() <= policy.items() or not {"default-src", "form-action"} <= policy.keys():
        yield f"policy {policy}"
    if "unsafe" in str(policy) or not {policy.get("default-src")} <= {"'self'", "'none'"}:
        yield f"a lax policy {policy}"
    lasts = re.search(r"max-age=(\d+)", headers.get("strict-transport-security", ""))
    if not lasts or int(lasts[1]) < YEAR:
        yield "no HSTS for a year"
    said = {
        "x-content-type-options": {"nosniff"},
        "referrer-policy": {"same-origin", "no-referrer"},
        "cross-origin-opener-policy": {"same-origin"},
    }
    yield from (f"no {name}" for name, values in said.items() if headers.get(name) not in values)
    for cookie in headers.get_list("set-cookie"):
        name, *attributes = (part.strip().lower() for part in cookie.split(";"))
        if not name.startswith("__host-") or not set(attributes) >= SENT_WITH:
            yield f"a cookie {cookie}"


def is_kept(answer: httpx.Response) -> bool:
    """Whether a browser or a proxy may keep it."""
    return "no-store" not in answer.headers.get("cache-control", "")


@pytest.fixture
def people(transactional_db: None) -> dict[str, User | None]:
    operator = User.objects.create_superuser("operator@example.com", "correct horse")
    make_account(operator)
    return {"anonymous": None, "operator": operator}


def test_every_page_tells_everybody_the_same(
    tls_site: Site, people: dict[str, User | None]
) -> None:
    load_catalog()
    things = Things.make()
    people["owner"] = things.key.account.members.get()
    problems, statuses = [], set()

    for person, user in people.items():
        with visitor(tls_site, user) as browser:
            for _, address in things.addresses():
                for method in ("GET",) if user else ("GET", "POST"):
                    answer = browser.request(method, address)
                    statuses.add(answer.status_code)
                    found = list(complaints(answer))
                    public = address.startswith("/brand/")
                    if user and is_kept(answer) and not public:
                        found.append("it may be kept")
                    problems += [f"{person}: {method} {address}: {each}" for each in found]

    assert not problems, "\n".join(problems)
    assert statuses >= {200, 302, 403, 404, 405}


def test_so_does_what_no_page_is(tls_site: Site, people: dict[str, User | None]) -> None:
    load_catalog()
    things = Things.make()
    key = things.key.headers
    asked = [
        ("GET", "/v1/models", key),
        ("GET", "/v1/models", {**key, "Origin": "https://elsewhere.example"}),
        ("OPTIONS", "/v1/chat/completions", {}),
        ("GET", "/v1/openapi.json", {}),
        ("GET", "/v1/models", {}),
        ("HEAD", "/v1/key", key),
        ("GET", "/v1/nothing", key),
        ("GET", "/api/nothing", {}),
        ("DELETE", "/v1/chat/completions", key),
        *((method, path, {}) for path in DIRECT for method in ("GET", "HEAD", "POST")),
        ("GET", f"/login/?{'a' * 9000}", {}),
        ("GET", "/nothing-here", {}),
        ("GET", "/login/", {"Host": "elsewhere.example"}),
        ("GET", "/login/", {"X-Forwarded-Proto": "http"}),
    ]
    with visitor(tls_site) as caller:
        answers = [caller.request(how, path, headers=more) for how, path, more in asked]
        answers += [caller.post("/v1/chat/completions", json=HELLO, headers=key)]
        answers += [caller.post("/v1/chat/completions", json=HELLO | {"stream": True}, headers=key)]
        answers += [caller.post("/v1/chat/completions", content=b"{", headers=key)]
        answers += [caller.post("/login/", content=b"x" * 2**21)]

    problems = [f"{a.request.method} {a.url}: {each}" for a in answers for each in complaints(a)]
    assert not problems, "\n".join(problems)
    assert {answer.status_code for answer in answers} >= {200, 301, 400, 401, 404, 405, 413, 414}
    assert not [answer.url for answer in answers if "/v1/" in str(answer.url) and is_kept(answer)]


def test_a_sign_in_leaves_cookies_that_no_script_and_no_neighbour_reads(
    tls_site: Site, people: dict[str, User | None]
) -> None:
    with visitor(tls_site) as browser:
        page = browser.get("/login/")
        token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[0]
        form = {"csrfmiddlewaretoken": token, "login": "operator@example.com"}
        browser.headers["Cookie"] = cookies_of(page)
        answer = browser.post(
            "/login/",
            data=form | {"password": "correct horse"},
            headers={"Origin": "https://keys.example.com"},
        )

    assert answer.status_code == 302
    assert list(complaints(page)) == list(complaints(answer)) == []
    assert "__Host-sessionid=" in cookies_of(answer)
    assert is_kept(answer) is False


def cookies_of(answer: httpx.Response) -> str:
    """As a browser would send them back."""
    given = answer.headers.get_list("set-cookie")
    return "; ".join(cookie.partition(";")[0] for cookie in given)


def test_files_are_handed_out_whole_and_nothing_beside_them(
    tls_site: Site, transactional_db: None
) -> None:
    outside = settings.STATIC_ROOT.parent / "secrets.json"
    assert outside.exists()
    with visitor(tls_site) as browser:
        icon = browser.get("/static/favicon.svg")
        head = browser.head("/static/favicon.svg")
        seen = {"If-Modified-Since": icon.headers["last-modified"]}
        again = browser.get("/static/favicon.svg", headers=seen)
        named = browser.get(static("css/site.css"))
        loose = {"Accept-Encoding": "br, gzip;q=0"}
        plain = browser.get(static("css/site.css"), headers=loose)
        beside = ["../secrets.json", "%2e%2e/secrets.json", "..%2fsecrets.json", str(outside)]
        strays = [browser.get(f"/static/{name}") for name in [*beside, "", "css", "css/", "a%00b"]]

    assert icon.content == (settings.STATIC_ROOT / "favicon.svg").read_bytes()
    assert icon.headers["content-type"] == "image/svg+xml"
    assert (head.content, head.headers["content-length"]) == (b"", str(len(icon.content)))
    assert (again.status_code, again.content) == (304, b"")
    assert icon.headers["cache-control"] == "no-cache"
    assert named.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert named.headers["content-type"] == "text/css; charset=utf-8"
    assert named.headers["content-encoding"] == "gzip"
    assert int(named.headers["content-length"]) < len(plain.content) / 2
    assert "content-encoding" not in plain.headers
    assert plain.content == named.content == (ROOT / "static/css/site.css").read_bytes()
    assert {stray.status_code for stray in strays} == {404}
    answers = [icon, head, again, named, plain, *strays]
    assert [each for answer in answers for each in complaints(answer)] == []


def test_a_proxy_says_of_files_what_we_say_of_them() -> None:
    caddy = (ROOT / "deploy" / "Caddyfile").read_text()
    nginx = (ROOT / "docs" / "operations.md").read_text()
    on_tls = [
        *FILES,
        (b"strict-transport-security", b"max-age=31536000; includeSubDomains; preload"),
    ]

    for name, value in dict(on_tls).items():
        titled = name.decode().title()
        assert re.search(rf'\?{titled} "?{re.escape(value.decode())}"?\n', caddy), titled
        assert re.search(rf'add_header {titled} "?{re.escape(value.decode())}"? always;', nginx), (
            titled
        )
