"""A server with models of a provider, its operator, and a visitor whom nobody knows."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from dashboard.models import Incident, Maintenance
from gateway.models import LanguageModel, ModelRoute, Provider
from tests.operators import as_operator
from usage.models import ModelHour

MODEL, OURS = "gpt-5.2", "keyplex/echo"


@pytest.fixture(autouse=True)
def server(
    db: None, monkeypatch: pytest.MonkeyPatch, settings: object, tmp_path: Path
) -> Iterator[None]:
    """Nothing is kept of the test before, and the copy goes to a folder of this test."""
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-of-the-operator")
    settings.STATUS_COPY = tmp_path / "copy"  # type: ignore[attr-defined]
    settings.JOURNAL_DIR = tmp_path / "journal"  # type: ignore[attr-defined]
    serve(MODEL, "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY")
    serve(OURS, "/sandbox/v1")
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def visitor() -> Client:
    return Client()


@pytest.fixture
def operator() -> Client:
    client = Client()
    as_operator(client)
    return client


def serve(name: str, base_url: str, credential_env: str = "") -> None:
    """A model, and the provider that is asked for it."""
    provider = Provider.objects.create(
        slug=name.partition("/")[0], name="P", base_url=base_url, credential_env=credential_env
    )
    model = LanguageModel.objects.create(
        model_id=name, owned_by="somebody", created_at=timezone.now()
    )
    ModelRoute.objects.create(model=model, provider=provider, upstream_model=name)


def fared(ok: int, failed: int, *, model: str = MODEL, hours_ago: int = 0) -> None:
    """So many calls came to a model in an hour."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours_ago)
    ModelHour.objects.create(hour=hour, model=model, ok=ok, failed=failed)


def status_of(visitor: Client, name: str) -> str:
    """The state of a part or a model, as programs read it."""
    cache.clear()
    told = visitor.get("/status.json").json()
    [state] = [it["status"] for it in told["components"] + told["models"] if it["id"] == name]
    return str(state)


def overall(visitor: Client) -> tuple[str, str]:
    cache.clear()
    told = visitor.get("/status.json").json()
    return told["status"], told["description"]


def make_incident(**fields: object) -> Incident:
    return Incident.objects.create(**({"title": "Calls fail"} | fields))


def make_maintenance(*, begins: int, ends: int, **fields: object) -> Maintenance:
    """From and until, in minutes from now."""
    now = timezone.now()
    return Maintenance.objects.create(
        **({"title": "A new version"} | fields),
        starts_at=now + timedelta(minutes=begins),
        ends_at=now + timedelta(minutes=ends),
    )
