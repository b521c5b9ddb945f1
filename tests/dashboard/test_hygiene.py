"""Keys that should be looked at are named, each with the one thing that matters most about it."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import APIKey
from accounts.scopes import Scope
from dashboard.hygiene import hints
from tests.dashboard.conftest import Scene, text_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
EVERYTHING = list(Scope.values)


def key(
    *,
    created: int = 90,
    used: int | None = 0,
    expires: int | None = None,
    scopes: list[str] = EVERYTHING,
) -> APIKey:
    """A key with its moments in days ago, but for ``expires``, which is in days to come."""
    return APIKey(
        pk=1,
        scopes=scopes,
        created_at=NOW - created * DAY,
        last_used_at=None if used is None else NOW - used * DAY,
        expires_at=None if expires is None else NOW + expires * DAY,
    )


@pytest.mark.parametrize(
    ("api_key", "endpoints", "word"),
    [
        (key(), {"chat/completions", "embeddings"}, None),
        (key(), {"chat/completions"}, "broad"),
        (key(), {"chat/completions", "models"}, "broad"),
        (key(scopes=[Scope.CHAT_WRITE]), {"chat/completions"}, None),
        (key(), set(), None),
        (key(used=None), set(), "never used"),
        (key(used=None, created=6), set(), None),
        (key(used=29), {"chat/completions", "embeddings"}, None),
        (key(used=30), set(), "unused"),
    ],
)
def test_a_key_is_named_for_what_matters_most(
    api_key: APIKey, endpoints: set[str], word: str | None
) -> None:
    found = hints([api_key], {1: endpoints}, NOW)

    assert [hint.word for hint in found] == ([word] if word else [])


def test_a_key_that_ends_soon_is_named_before_all_else() -> None:
    now = datetime.now(UTC)
    soon = APIKey(pk=1, scopes=EVERYTHING, created_at=now, expires_at=now + 3 * DAY)
    later = APIKey(pk=2, scopes=[], created_at=now, last_used_at=now, expires_at=now + 8 * DAY)
    gone = APIKey(pk=3, scopes=[], created_at=now - 99 * DAY, expires_at=now - DAY)
    revoked = APIKey(pk=4, scopes=[], created_at=now - 99 * DAY, revoked_at=now)

    [hint] = hints([soon, later, gone, revoked], {}, now)

    assert (hint.api_key, hint.word, hint.tone) == (soon, "expires soon", "bad")


def test_the_overview_tells_its_members_and_nobody_else(scene: Scene) -> None:
    scene.call(endpoint="embeddings")

    page = text_of(scene.owner.get("/overview"))

    assert "Keys to look at" in page
    assert "May do everything and needs only embeddings:write" in page
    assert "Keys to look at" in text_of(scene.colleague.get("/overview"))
    assert "Keys to look at" not in text_of(scene.stranger.get("/overview"))
