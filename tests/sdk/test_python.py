"""The Python SDK asks a running site everything that it has a method for."""

from datetime import UTC, datetime, timedelta

import anyio
import openai
import pytest

import keyplex
from keyplex import AsyncKeyplex, Keyplex
from tests.gateway.conftest import Recorded
from tests.gateway.site import Site
from tests.people import make_key
from tests.sdk.conftest import Person

HELLO = [{"role": "user", "content": "Hello, world!"}]


def chat(client: Keyplex) -> str:
    """Have a chat; the id of the request."""
    made = client.chat.completions.create(model="keyplex/echo", messages=HELLO)
    return made._request_id or ""


def test_it_is_the_openai_client(owner: Person) -> None:
    assert isinstance(owner.client, openai.OpenAI)
    assert issubclass(AsyncKeyplex, openai.AsyncOpenAI)


def test_a_chat_a_stream_and_embeddings(owner: Person) -> None:
    ask = owner.client.chat.completions.create
    whole = ask(model="keyplex/echo", messages=HELLO)
    chunks = list(ask(model="keyplex/echo", messages=HELLO, stream=True))
    vectors = owner.client.embeddings.create(model="keyplex/embedding", input=["a", "b"])

    assert whole.choices[0].message.content == "Hello, world!"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello, world!"
    assert [vector.index for vector in vectors.data] == [0, 1]
    assert all(isinstance(vector.embedding[0], float) for vector in vectors.data)


def test_address_and_key_come_from_the_environment(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEYPLEX_BASE_URL", f"{site.url}/api/v1")
    monkeypatch.setenv("KEYPLEX_API_KEY", make_key().plaintext)

    with Keyplex() as client:
        assert chat(client).startswith("req_")


def test_what_is_meant_for_openai_is_neither_used_nor_sent(
    owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://openai.example/v1")
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "sk-of-openai")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer sk-of-openai")
    monkeypatch.delenv("KEYPLEX_BASE_URL", raising=False)
    monkeypatch.delenv("KEYPLEX_API_KEY", raising=False)

    with pytest.raises(keyplex.OpenAIError, match="KEYPLEX_BASE_URL"):
        Keyplex(api_key="kpx_key")
    with pytest.raises(keyplex.OpenAIError, match="KEYPLEX_API_KEY"):
        AsyncKeyplex(base_url="https://keyplex.example/v1")
    mine = {"X-Mine": "yes"}
    client = Keyplex(base_url="https://k.example", api_key="kpx_key", default_headers=mine)
    for one in (client, client.with_options(timeout=5), owner.client.with_options(timeout=5)):
        assert "sk-of-openai" not in f"{one.default_headers} {one.auth_headers}"
        assert one.admin_api_key is None
    assert client.with_options(timeout=5).default_headers["X-Mine"] == "yes"
    assert chat(owner.client.with_options(timeout=5))


def test_usage_is_that_of_the_account(
    owner: Person, colleague: Person, stranger: Person, recorded: Recorded
) -> None:
    recorded(chat(owner.client))
    recorded(chat(colleague.client))

    usage = owner.client.usage.retrieve()

    assert usage.data.total_requests == 2
    assert usage.data.models["keyplex/echo"].tokens == usage.data.total_tokens == 16
    assert usage.groups is None
    assert usage._request_id
    assert stranger.client.usage.retrieve().data.total_requests == 0


def test_usage_is_filtered_and_grouped(
    owner: Person, colleague: Person, recorded: Recorded
) -> None:
    recorded(chat(owner.client))
    recorded(chat(colleague.client))
    tomorrow = datetime.now(UTC) + timedelta(days=1)

    keys = owner.client.usage.retrieve(group_by="api_key", start=tomorrow.date().replace(day=1))
    one = owner.client.usage.retrieve(api_key_id=owner.issued.api_key.pk, end=tomorrow)
    none = owner.client.usage.retrieve(start=tomorrow, end=tomorrow)

    expected = {owner.issued.api_key.pk, colleague.issued.api_key.pk}
    assert {group.api_key_id for group in keys.groups or []} == expected
    assert one.data.total_requests == 1
    assert none.data.total_requests == 0


def test_limits_and_key_are_those_of_the_key(owner: Person, colleague: Person) -> None:
    limits = {
        f"{limit.unit}/{limit.window}": limit for limit in owner.client.limits.retrieve().data
    }
    key = colleague.client.key.retrieve()

    assert limits["requests/minute"].limit == limits["requests/minute"].remaining == 10_000
    assert key.id == colleague.issued.api_key.pk
    assert key.scopes == ["chat:write"]
    assert key.account.id == owner.issued.account.pk
    assert key.plan.id == "monthly"
    assert [limit.scope for limit in key.limits] == ["account"] * 3
    assert key.last_used is None


def test_a_request_is_explained_to_its_account_only(
    owner: Person, colleague: Person, stranger: Person, recorded: Recorded
) -> None:
    request_id = chat(colleague.client)
    recorded(request_id)

    explanation = owner.client.explain(request_id)

    assert explanation.request_id == request_id
    assert explanation.meaning == "Answered to its end."
    assert explanation.api_key_id == colleague.issued.api_key.pk
    assert explanation.usage.total_tokens == 8
    assert [route.outcome for route in explanation.routes] == ["answered"]
    assert {limit.asked for limit in explanation.limits if limit.unit == "requests"} == {1}
    with pytest.raises(keyplex.PermissionDeniedError, match="usage:read"):
        colleague.client.explain(request_id)
    with pytest.raises(keyplex.NotFoundError):
        stranger.client.explain(request_id)


def test_a_request_id_stays_within_its_address(owner: Person) -> None:
    with pytest.raises(keyplex.NotFoundError, match="request id"):
        owner.client.explain("../limits")


def test_events_come_page_by_page(owner: Person, stranger: Person) -> None:
    for _ in range(3):
        make_key(owner.issued.account)

    events = list(owner.client.events.list(limit=2))
    page = owner.client.events.list(after=events[1].id, limit=1)

    assert [event.type for event in events] == ["api_key.created"] * 4
    assert [event.sequence for event in events] == [1, 2, 3, 4]
    assert not events[0].test
    assert events[0].data["account_id"] == owner.issued.account.pk
    assert [event.id for event in page.data] == [page.next] == [events[2].id]
    assert page.has_more
    assert len(list(stranger.client.events.list(type="api_key.created"))) == 1


def test_a_colleague_without_the_permission_reads_neither_usage_nor_events(
    colleague: Person,
) -> None:
    for ask in (colleague.client.usage.retrieve, colleague.client.events.list):
        with pytest.raises(keyplex.PermissionDeniedError, match="usage:read"):
            ask()


def test_a_field_that_is_new_can_be_read(owner: Person) -> None:
    answered = owner.client.key.retrieve()

    assert answered.object == "key"  # type: ignore[attr-defined]


def test_all_of_it_can_be_awaited(owner: Person, stranger: Person, recorded: Recorded) -> None:
    request_id = chat(owner.client)
    recorded(request_id)
    make_key(owner.issued.account)
    base_url = str(owner.client.base_url)

    async def ask() -> None:
        async with AsyncKeyplex(base_url=base_url, api_key=owner.issued.plaintext) as client:
            assert (await client.usage.retrieve()).data.total_requests == 1
            assert (await client.limits.retrieve()).data[0].used == 1
            assert (await client.key.retrieve()).id == owner.issued.api_key.pk
            assert (await client.explain(request_id)).status == 200
            page = await client.events.list(limit=1)
            assert page.next == page.data[0].id
            assert [event.sequence async for event in client.events.list(limit=1)] == [1, 2]
            with pytest.raises(keyplex.NotFoundError):
                await client.with_options(api_key=stranger.issued.plaintext).explain(request_id)

    anyio.run(ask)
