"""The plans as pages tell of them: prices, limits and how long the log is kept, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from billing import limits, money
from billing.limits import Limit, Limits
from billing.models import Plan
from usage.partitions import DAYS_KEPT


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan on offer, beside others."""

    plan: Plan

    @property
    def interval(self) -> str:
        """
        >>> Offer(Plan(interval_months=1)).interval, Offer(Plan(interval_months=3)).interval
        ('a month', 'every 3 months')
        """
        words = self.plan.interval_in_words
        return f"every {words}" if words.endswith("s") else f"a {words}"

    @property
    def by_the_month(self) -> str:
        """What a longer interval comes to for each month; empty of any other.

        >>> Offer(Plan(unit_amount=7900, interval_months=3)).by_the_month
        '$26.33'
        """
        if not self.plan.is_for_sale or self.plan.interval_months == 1:
            return ""
        monthly = round(self.plan.unit_amount / self.plan.interval_months)  # type: ignore[operator]
        return money.written(monthly, self.plan.currency)

    @property
    def is_free(self) -> bool:
        return not self.plan.interval_months

    @property
    def by_agreement(self) -> bool:
        """It costs something, and what is not said in public."""
        return not self.is_free and not self.plan.is_for_sale

    @property
    def limits(self) -> Limits:
        return limits.parse(self.plan.limits)

    @property
    def is_soft(self) -> bool:
        """It has limits, and none of them refuses anything."""
        return bool(self.limits) and not self.plan.hard_limits

    @property
    def days_kept(self) -> int:
        return DAYS_KEPT[self.plan.retention_class]


class Comparison(NamedTuple):
    """A row for each plan with what it allows in every one of the columns."""

    columns: list[str]
    rows: list[tuple[Offer, list[int | None]]]
    priced: bool


def compare(plans: Sequence[Plan]) -> Comparison:
    names = [name for name in limits.NAMES if any(name in plan.limits for plan in plans)]
    rows = [(Offer(plan), [plan.limits.get(name) for name in names]) for plan in plans]
    columns = [title(*limits.NAMES[name]) for name in names]
    return Comparison(columns, rows, any(plan.price_in_words for plan in plans))


def title(unit: str, window: str) -> str:
    """
    >>> title("tokens", "day")
    'Tokens a day'
    """
    return f"{unit.capitalize()} a {window}"


def in_words(limit: Limit) -> str:
    """
    >>> in_words(Limit("tokens_per_day", "tokens", "day", 100_000))
    '100,000 tokens a day'
    """
    fair = " as fair use" if limit.soft else ""
    return f"{limit.amount:,} {limit.unit} a {limit.window}{fair}"


class LimitChange(NamedTuple):
    """What a limit is now and will be; empty where there is none."""

    title: str
    before: str
    after: str

    @property
    def is_one(self) -> bool:
        return self.before != self.after


def changes_of(before: Limits, after: Limits) -> list[LimitChange]:
    """Every limit that holds now or then."""
    now, then = _by_title(before), _by_title(after)
    return [LimitChange(name, now.get(name, ""), then.get(name, "")) for name in now | then]


def _by_title(found: Limits) -> dict[str, str]:
    return {
        title(one.unit, one.window): f"{one.amount:,}{' as fair use' if one.soft else ''}"
        for one in found
    }
