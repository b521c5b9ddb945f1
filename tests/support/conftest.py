"""Somebody nobody knows, and the people of an account, who ask; each test counts from zero."""

import pytest
from django.core.cache import cache
from django.test import Client

from dashboard.models import SupportRequest
from tests.dashboard.conftest import scene

__all__ = ["scene"]
WHO = "asker@example.com"
ASKED = {"topic": "calls", "text": "It fails.", "email": WHO}
SOLD = {"name": "Ada", "company": "Analytical", "email": WHO, "expected_use": "much", "text": "All"}


@pytest.fixture(autouse=True)
def nobody_has_asked(db: None) -> None:
    cache.clear()


@pytest.fixture
def visitor() -> Client:
    return Client()


def make_request(**facts: object) -> SupportRequest:
    number = SupportRequest.objects.count()
    said: dict[str, object] = {"email": WHO, "text": "It fails.", "mark": f"m{number}"}
    return SupportRequest.objects.open(**(said | facts))  # type: ignore[arg-type]
