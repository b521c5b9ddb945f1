"""What changed since last week: the cause that was planted is the one that is named."""

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.changes import Cause, Cell, Cells, change, effects
from usage.reports import Totals

KEYS, MODELS = (1, 2, 3), ("mini", "large", "reasoner")
counts = st.integers(0, 500)
lengths = st.integers(0, 20_000)
weeks = st.dictionaries(
    st.tuples(st.sampled_from(KEYS), st.sampled_from(MODELS)),
    st.builds(
        lambda ok, prompt, completion: Totals(
            requests=ok, ok=ok, prompt_tokens=ok * prompt, completion_tokens=ok * completion
        ),
        counts,
        lengths,
        lengths,
    ),
)


def tokens(week: Cells) -> int:
    return sum(totals.tokens for totals in week.values())


def cell(count: float, prompt: float, completion: float) -> Totals:
    ok = max(1, round(count))
    return Totals(
        requests=ok,
        ok=ok,
        prompt_tokens=round(ok * prompt),
        completion_tokens=round(ok * completion),
    )


@given(weeks, weeks)
def test_the_causes_add_up_to_the_change(before: Cells, after: Cells) -> None:
    found = effects(before, after)

    difference = tokens(after) - tokens(before)
    whole = found.requests + found.mix + found.prompts + found.answers
    assert abs(whole - difference) <= 1e-6 * (1 + tokens(after) + tokens(before))


@given(weeks, weeks)
def test_any_two_weeks_can_be_compared(before: Cells, after: Cells) -> None:
    found = change(before, after)

    assert found is None or (found.headline and found.why)


class Planted:
    """A believable week, and the one after it, in which one thing was changed."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.cause: Cause = self.dice.choice(["requests", "mix", "prompts", "answers"])
        self.before = {
            (key, model): self.cell()
            for key in self.dice.sample(KEYS, self.dice.randint(1, 3))
            for model in self.dice.sample(MODELS, self.dice.randint(1, 3))
        }
        self.key: int | None = None
        self.after = {where: self.noisy(totals) for where, totals in self.planted().items()}

    def cell(self) -> Totals:
        dice = self.dice
        return cell(dice.uniform(50, 400), dice.uniform(300, 4000), dice.uniform(100, 1500))

    def noisy(self, totals: Totals) -> Totals:
        near = [self.dice.gauss(1, 0.02) for _ in range(3)]
        return cell(
            totals.ok * near[0],
            totals.prompt_tokens / totals.ok * near[1],
            totals.completion_tokens / totals.ok * near[2],
        )

    def planted(self) -> dict[Cell, Totals]:
        if self.cause == "mix":
            return self.shifted()
        if self.dice.random() < 0.5:
            self.key = self.dice.choice([key for key, _ in self.before])
        factor = self.dice.choice([0.3, 0.5, 2, 3, 5])
        return {
            where: self.multiplied(totals, factor) if self.key in (None, where[0]) else totals
            for where, totals in self.before.items()
        }

    def multiplied(self, totals: Totals, factor: float) -> Totals:
        if self.cause == "prompts":
            return replace(totals, prompt_tokens=round(totals.prompt_tokens * factor))
        if self.cause == "answers":
            return replace(totals, completion_tokens=round(totals.completion_tokens * factor))
        prompt, completion = totals.prompt_tokens / totals.ok, totals.completion_tokens / totals.ok
        return cell(totals.ok * factor, prompt, completion)

    def shifted(self) -> dict[Cell, Totals]:
        """Every key sends half of its requests to another model, which says far more."""
        found = {}
        for (key, model), totals in self.before.items():
            prompt = totals.prompt_tokens / totals.ok
            found[key, model] = cell(totals.ok / 2, prompt, totals.completion_tokens / totals.ok)
            moved = found.get((key, "talker"), Totals())
            there = cell(totals.ok / 2, prompt, 9000)
            found[key, "talker"] = Totals(
                requests=moved.requests + there.requests,
                ok=moved.ok + there.ok,
                prompt_tokens=moved.prompt_tokens + there.prompt_tokens,
                completion_tokens=moved.completion_tokens + there.completion_tokens,
            )
        return found


def test_planted_causes_are_found_in_at_least_95_of_100_cases() -> None:
    told: list[bool] = []

    @settings(max_examples=600, deadline=None, database=None)
    @given(st.integers(0, 10**9))
    def plant(seed: int) -> None:
        planted = Planted(seed)
        found = change(planted.before, planted.after)
        if found:
            told.append(found.cause == planted.cause)

    plant()

    assert len(told) >= 200
    assert sum(told) >= 0.95 * len(told), f"{sum(told)} of {len(told)}"


def test_the_key_that_it_comes_from_is_named() -> None:
    steady = {(2, "mini"): cell(300, 1000, 200), (3, "mini"): cell(200, 900, 300)}
    before = {(1, "mini"): cell(100, 3100, 400), **steady}
    after = {(1, "mini"): cell(100, 9800, 400), **steady}

    found = change(before, after)

    assert found
    assert (found.cause, found.key, found.from_there) == ("prompts", 1, "100 %")
    assert found.why == "prompts grew from 3,100 to 9,800 tokens"


def test_a_model_that_talks_more_is_named() -> None:
    before = {(1, "mini"): cell(400, 500, 100)}
    after = {(1, "mini"): cell(200, 500, 100), (1, "reasoner"): cell(200, 500, 3000)}

    found = change(before, after)

    assert found
    assert (found.cause, found.model) == ("mix", "reasoner")
    assert found.why == "more of the requests went to reasoner"


def test_nothing_is_said_where_nothing_is_notable() -> None:
    week = {(1, "mini"): cell(400, 500, 100)}

    assert change(week, week) is None
    assert change(week, {(1, "mini"): cell(440, 520, 100)}) is None
    assert change({}, week) is None
    assert change({(1, "mini"): cell(5, 500, 100)}, week) is None


def test_a_week_without_requests_is_told_too() -> None:
    found = change({(1, "mini"): cell(400, 500, 100)}, {})

    assert found
    assert found.headline == "Tokens are down 100 % on the week before."
    assert found.why == "requests fell from 400 to 0"
