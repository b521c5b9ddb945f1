"""What changed since the week before, in one sentence: by how much, where, and why.

The change in tokens is divided without remainder: into more or fewer requests, other keys and
models than before, longer or shorter prompts, longer or shorter answers.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from dashboard.templatetags.figures import amount
from usage.reports import Totals

Cell = tuple[int, str]  # key and model
Cells = Mapping[Cell, Totals]
Part = TypeVar("Part", int, str)
Cause = Literal["requests", "mix", "prompts", "answers"]
NOTABLE = 0.2  # of the week before
FEWEST_REQUESTS, FEWEST_TOKENS = 20, 1000  # in a week that can be compared
MAINLY = 0.6  # of the change
STEADY = 1 / 3  # requests that changed by less than this part of the tokens did not cause it


@dataclass(frozen=True, slots=True)
class Answered:
    """How many answers there were, and how long they and their prompts were in all."""

    count: int = 0
    prompt: int = 0
    completion: int = 0

    @classmethod
    def of(cls, totals: Iterable[Totals]) -> "Answered":
        several = list(totals)
        tokens = sum(one.tokens for one in several)
        count = sum(one.ok + one.client_disconnects + one.interrupted for one in several)
        return cls(
            max(count, 1) if tokens else count,
            sum(one.prompt_tokens for one in several),
            sum(one.completion_tokens for one in several),
        )

    @property
    def tokens(self) -> int:
        return self.prompt + self.completion


@dataclass(frozen=True, slots=True)
class Effects:
    """What each cause did to the tokens; together it is the whole change."""

    requests: float
    mix: float
    prompts: float
    answers: float
    shifts: dict[Cell, float]  # what ``mix`` is made of

    def __getitem__(self, cause: Cause) -> float:
        return float(getattr(self, cause))


def effects(before: Cells, after: Cells) -> Effects:
    """Every factor is weighed with the mean of both weeks, so that nothing is left over."""
    pairs = {
        cell: (Answered.of([before.get(cell, Totals())]), Answered.of([after.get(cell, Totals())]))
        for cell in {**before, **after}
    }
    old, new = (sum(pair[week].count for pair in pairs.values()) or 1 for week in (0, 1))
    requests = prompts = answers = 0.0
    shifts = {}
    for cell, (was, now) in pairs.items():
        prompt, completion = _lengths(was, now, "prompt"), _lengths(was, now, "completion")
        length = (sum(prompt) + sum(completion)) / 2
        weight = (was.count + now.count) / 2
        prompts += weight * (prompt[1] - prompt[0])
        answers += weight * (completion[1] - completion[0])
        shares = was.count / old, now.count / new
        requests += (new - old) * sum(shares) / 2 * length
        shifts[cell] = (new + old) / 2 * (shares[1] - shares[0]) * length
    return Effects(requests, sum(shifts.values()), prompts, answers, shifts)


def _lengths(was: Answered, now: Answered, name: str) -> tuple[float, float]:
    """The mean length in both weeks. What there was in one week only did not get longer."""
    lengths = [getattr(week, name) / week.count if week.count else None for week in (was, now)]
    first, last = lengths
    return (last or 0.0) if first is None else first, (first or 0.0) if last is None else last


@dataclass(frozen=True, slots=True)
class Change:
    """``key`` and ``model`` are those that most of it came from, if there were others too."""

    before: int
    after: int
    cause: Cause
    key: int | None
    model: str | None
    share: float  # of the change, that came from there
    first: float  # what caused it, in the week before and in this one
    last: float

    @property
    def headline(self) -> str:
        """By how much.

        >>> Change(100, 162, "prompts", None, None, 1, 3, 9).headline
        'Tokens are up 62 % on the week before.'
        """
        if self.after >= 10 * self.before:
            return f"Tokens are {self.after / self.before:.0f} times those of the week before."
        way = "up" if self.after > self.before else "down"
        by = abs(self.after - self.before) / self.before
        return f"Tokens are {way} {100 * by:.0f} % on the week before."

    @property
    def why(self) -> str:
        if self.cause == "mix":
            way = "more" if self.last > self.first else "fewer"
            return f"{way} of the requests went to {self.model}"
        if self.cause == "requests":
            way = "rose" if self.last > self.first else "fell"
            return f"requests {way} from {self.first:,.0f} to {self.last:,.0f}"
        way = "grew" if self.last > self.first else "shrank"
        return f"{self.cause} {way} from {amount(self.first)} to {amount(self.last)} tokens"

    @property
    def from_there(self) -> str:
        return f"{100 * min(1.0, self.share):.0f} %"


def change(before: Cells, after: Cells) -> Change | None:
    """What is worth telling of two weeks; None if nothing is."""
    was, now = Answered.of(before.values()), Answered.of(after.values())
    difference = now.tokens - was.tokens
    if was.count < FEWEST_REQUESTS or was.tokens < FEWEST_TOKENS:
        return None
    if abs(difference) < NOTABLE * was.tokens:
        return None
    found = effects(before, after)
    cause = _cause(found, was, now)
    key, key_share = _mainly(before, after, difference, lambda cell: cell[0])
    model, share = _mainly(before, after, difference, lambda cell: cell[1])
    if cause == "mix":
        model = _shifted_to(found, difference)
    elif key is not None:
        model = None
    where = (None if cause == "mix" else key), model
    first, last = (_measured(cause, _only(week, *where)) for week in (before, after))
    if cause != "mix" and (last > first) != (difference > 0):
        return None  # as a mean it went the other way; that would confuse more than it tells
    share = share if key is None else key_share
    return Change(was.tokens, now.tokens, cause, key, model, share, first, last)


def _cause(found: Effects, was: Answered, now: Answered) -> Cause:
    """What did most in the direction of the change."""
    difference = now.tokens - was.tokens
    way = 1 if difference > 0 else -1
    quantity = way * (found.requests + found.mix)
    lengths: list[Cause] = ["prompts", "answers"]
    longest = max(lengths, key=lambda cause: way * found[cause])
    if way * found[longest] > quantity:
        return longest
    grew = way * (now.count - was.count) / was.count
    return "requests" if grew >= STEADY * abs(difference) / was.tokens else "mix"


def _mainly(
    before: Cells, after: Cells, difference: int, part: Callable[[Cell], Part]
) -> tuple[Part | None, float]:
    """The one key or model that most of the difference came from, and how much of it."""
    sums: dict[Part, int] = {}
    for sign, week in ((-1, before), (1, after)):
        for cell, totals in week.items():
            sums[part(cell)] = sums.get(part(cell), 0) + sign * totals.tokens
    if len(sums) < 2:
        return None, 1.0
    most = max(sums, key=lambda one: sums[one] / difference)
    share = sums[most] / difference
    return (most, share) if share >= MAINLY else (None, 1.0)


def _shifted_to(found: Effects, difference: int) -> str:
    """The model whose part of the requests changed with the most effect."""
    sums: dict[str, float] = {}
    for (_, model), shift in found.shifts.items():
        sums[model] = sums.get(model, 0.0) + shift
    return max(sums, key=lambda model: sums[model] / difference)


def _only(week: Cells, key: int | None, model: str | None) -> Answered:
    return Answered.of(
        totals
        for cell, totals in week.items()
        if key in (None, cell[0]) and model in (None, cell[1])
    )


def _measured(cause: Cause, week: Answered) -> float:
    if cause in ("requests", "mix"):
        return week.count
    return (week.prompt if cause == "prompts" else week.completion) / (week.count or 1)
