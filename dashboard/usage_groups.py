"""The groups of the Usage page, each a row: what it is called, what it did, how fast it was."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from dashboard.charts import NO_MODEL
from dashboard.today import total
from dashboard.usage_form import View
from usage.breakdown import Group, Speed
from usage.reports import Totals
from usage.rollups import REST

NO_END_USER = "no end user named"
SMALLER = "smaller users (not listed)"
NAMELESS = {"model": NO_MODEL, "endpoint": "endpoint not noted", "user": SMALLER}


@dataclass(frozen=True, slots=True)
class GroupRow:
    """``filters`` leads to this group alone, ``logs`` to its requests; empty where none can."""

    name: str
    totals: Totals
    speed: Speed | None = None
    filters: str = ""
    logs: str = ""


def named(by: str, group: Group, names: Mapping[int, str]) -> str:
    """What a group is called."""
    if group is None:
        return NO_END_USER
    if by == "key":
        return names.get(int(group), "a deleted key")
    return str(group) if group != REST else NAMELESS[by]


def rows_of(
    view: View,
    groups: Mapping[Group, Totals],
    totals: Totals,
    names: Mapping[int, str],
    speeds: Mapping[Group, Speed],
) -> list[GroupRow]:
    """The groups as they come, then one for what is left of the totals, the nameless last."""
    found = [
        GroupRow(
            named(view.by, group, names),
            sums,
            speeds.get(group),
            view.query(**{view.by: group}) if group and view.by != "user" else "",
            _logs(view, group),
        )
        for group, sums in groups.items()
        if not is_rest(view.by, group)
    ]
    if (left := totals - total(groups.values())).requests:
        found.append(GroupRow("all others", left))
    rest = [GroupRow(SMALLER, sums) for group, sums in groups.items() if is_rest(view.by, group)]
    return found + rest


def is_rest(by: str, group: Group) -> bool:
    """Whether this stands for all the end users of whom too many came in one hour to be named."""
    return by == "user" and group == REST


def _logs(view: View, group: Group) -> str:
    if not group or view.by == "endpoint":
        return ""
    name = "q" if view.by == "user" else view.by
    return f"{view.period.query}&{urlencode({name: group}, safe=':/', errors='replace')}"
