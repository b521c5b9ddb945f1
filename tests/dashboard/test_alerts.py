"""The alerts that we hand out are about metrics that there are; the manual explains them all."""

import re

import yaml
from django.conf import settings

from dashboard import signs_of_life
from dashboard.instance import ROOT
from tests.dashboard.scraping import loaded, read
from usage.recorder import Recorder


def exported() -> set[str]:
    signs_of_life.leave()
    Recorder(settings.JOURNAL_DIR).run_once()
    return {name for name, *_ in read(loaded())}


def test_every_alert_is_about_a_metric_that_there_is(transactional_db: None) -> None:
    groups = yaml.safe_load((ROOT / "docs" / "alerts.yml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    named = {name for rule in rules for name in re.findall(r"keyplex_\w+", rule["expr"])}

    assert len(rules) > 10
    assert named <= exported()
    for rule in rules:
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert set(rule["annotations"]) == {"summary", "action"}
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_the_manual_knows_every_metric_and_every_alert(transactional_db: None) -> None:
    manual = (ROOT / "docs" / "operations.md").read_text()
    groups = yaml.safe_load((ROOT / "docs" / "alerts.yml").read_text())["groups"]
    alerts = {rule["alert"] for group in groups for rule in group["rules"]}
    ours = {name.removesuffix("_bucket").removesuffix("_count") for name in exported()}

    missing = {n for n in ours | alerts if f"`{n}`" not in manual and not n.startswith("process_")}
    assert missing == set()
