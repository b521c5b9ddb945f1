"""Keys that should be looked at are named, each with the one thing that matters most about it."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import APIKey
from accounts.scopes import Scope
from dashboard.hygiene import ENOUGH, hints
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
    ("api_key", "calls", "word"),
    [
        (key(), {"chat/completions": 100, "embeddings": 1}, None),
        (key(), {"chat/completions": 100}, "broad"),
        (key(), {"chat/completions": 60, "models": 40}, "broad"),
        (key(), {"chat/completions": 99}, None),
        (key(created=6), {"chat/completions": 100}, None),
        (key(scopes=[Scope.CHAT_WRITE]), {"chat/completions": 100}, None),
        (key(), {}, None),
        (key(used=None), {}, "never used"),
        (key(used=None, created=6), {}, None),
        (key(used=29), {"chat/completions": 100, "embeddings": 100}, None),
        (key(used=30), {}, "unused"),
    ],
)
def test_a_key_is_named_for_what_matters_most(
    api_key: APIKey, calls: dict[str, int], word: str | None
) -> None:
    found = hints([api_key], {1: Counter(calls)}, NOW)

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
    scene.calls(ENOUGH, endpoint="embeddings")
    new = text_of(scene.owner.get("/overview"))
    APIKey.objects.update(created_at=timezone.now() - 8 * DAY)

    page = text_of(scene.owner.get("/overview"))

    assert "Keys to look at" not in new
    assert "Keys to look at" in page
    assert "May do everything and needs only embeddings:write" in page
    assert "Keys to look at" in text_of(scene.colleague.get("/overview"))
    assert "Keys to look at" not in text_of(scene.stranger.get("/overview"))
