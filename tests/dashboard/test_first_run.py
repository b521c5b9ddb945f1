"""The logins and the key that ``./start`` prints work at once, and are made once."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from accounts import keys
from accounts.models import APIKey, User
from billing.models import Subscription, Trial
from dashboard.first_run import DEMO, OPERATOR, first_run
from tests.billing.newcomers import trial_plan

pytestmark = pytest.mark.django_db


def test_both_logins_and_the_key_work_at_once(tmp_path: Path, settings: Settings) -> None:
    settings.TRIALS_PER_DAY = 0
    trial_plan()

    made = first_run(tmp_path / "first.json")

    assert first_run(tmp_path / "first.json") == made
    assert set(User.objects.values_list("email", flat=True)) == {DEMO, OPERATOR}
    assert set(Subscription.objects.values_list("status", flat=True)) == {"trialing"}
    assert set(Trial.objects.values_list("email", "state", "decided_by")) == {
        (DEMO, "granted", "system"),
        (OPERATOR, "granted", "system"),
    }
    key = APIKey.objects.get(digest=keys.digest(made.api_key))
    assert key.account.members.get().email == DEMO
    browser = Client()
    browser.post("/login/", {"login": DEMO, "password": made.demo_password})
    assert browser.get("/overview").status_code == 200
