"""Whatever happens in whatever order, the script counts as a list on paper would."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from billing.limits import NAMES, OF_KEYS, Named
from gateway.admission import LEASE_SECONDS, Spent
from gateway.decisions import Decision, Scope
from gateway.months import DAY, month_of
from tests.gateway.limiting import PLENTY, PLENTY_OF_A_KEY, Bench, numbers, policy_of

START = 1_798_761_540  # a minute before 2027 begins: a day, a month and a year end soon
MEASURES = {"requests": [1, 3, 6, 20], "tokens": [1, 60, 200, 500]}


def amounts(names: Named = NAMES) -> st.SearchStrategy[dict[str, int]]:
    return st.lists(
        st.sampled_from(["", "soft_"]).flatmap(
            lambda prefix: st.sampled_from(list(names)).flatmap(
                lambda name: st.tuples(
                    st.just(prefix + name), st.sampled_from(MEASURES[names[name][0]])
                )
            )
        ),
        max_size=3,
    ).map(dict)


KNOWN: dict[Scope, Named] = {"account": NAMES, "key": OF_KEYS}


@dataclass
class Admitted:
    """One line of the list."""

    second: int
    tokens: int
    lease: str
    own: bool
    open: bool = True
    served: int = 1
    restored: bool = False


class OnPaper(RuleBasedStateMachine):
    """The list, beside the script."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(START)
        self.lines: list[Admitted] = []

    def teardown(self) -> None:
        self.bench.close()

    def used(self, scope: Scope, name: str) -> int:
        unit, window = OF_KEYS[name]
        now = self.bench.now
        month = month_of(datetime.fromtimestamp(now, UTC))
        begin = {"minute": now - 60, "day": now // DAY * DAY, "month": month, "lifetime": 0}[window]
        lines = [line for line in self.lines if line.second >= begin]
        lines = [line for line in lines if line.own or scope == "account"]
        if window == "minute":
            lines = [line for line in lines if not line.restored]
        return sum(line.served if unit == "requests" else line.tokens for line in lines)

    def check(self, decision: Decision, ask: dict[str, int]) -> None:
        exceeded = False
        for use in decision.uses:
            used = self.used(use.scope, use.name.removeprefix("soft_"))
            assert use.used == used, use
            exceeded |= not use.soft and used + ask[use.unit] > use.limit
        assert decision.admitted is not exceeded

    def sweep(self) -> None:
        for line in self.lines:
            if line.open and line.second + LEASE_SECONDS <= self.bench.now:
                line.open, line.tokens = False, 0

    @rule(account=amounts(), own=st.none() | amounts(OF_KEYS), tokens=st.integers(0, 60))
    def admit(self, account: dict[str, int], own: dict[str, int] | None, tokens: int) -> None:
        policy = policy_of(account, own)
        lease = policy.lease(f"req_{next(numbers)}", tokens)
        self.sweep()
        decision = self.bench.ask(policy, tokens, lease=lease)
        self.check(decision, {"requests": 1, "tokens": tokens})
        if decision.admitted:
            self.lines.append(Admitted(self.bench.now, tokens, lease, bool(own)))

    @rule(account=amounts(), own=st.none() | amounts(OF_KEYS), tokens=st.integers(0, 60))
    def rehearse(self, account: dict[str, int], own: dict[str, int] | None, tokens: int) -> None:
        self.sweep()
        decision = self.bench.ask(policy_of(account, own), tokens, verb="rehearse")
        self.check(decision, {"requests": 1, "tokens": tokens})

    @precondition(lambda self: self.lines)
    @rule(which=st.integers(1, 5), used=st.sampled_from([-1, 0, 1, 40, 80]))
    def settle(self, which: int, used: int) -> None:
        line = self.lines[-min(which, len(self.lines))]
        self.bench.settle(line.lease, used)
        if line.open:
            line.open, line.tokens, line.served = False, max(used, 0), int(used >= 0)

    @precondition(lambda self: self.lines)
    @rule(which=st.integers(1, 5))
    def ask_again_after_an_answer_was_lost(self, which: int) -> None:
        line = self.lines[-min(which, len(self.lines))]
        self.sweep()
        if line.open:
            policy = policy_of(PLENTY, PLENTY_OF_A_KEY if line.own else None)
            self.bench.ask(policy, int(line.lease.split("|")[1]), lease=line.lease)

    @rule(tokens=st.integers(0, 60), own=st.booleans(), ended=st.booleans())
    def grant_without_redis(self, tokens: int, own: bool, ended: bool) -> None:
        policy = policy_of(PLENTY, PLENTY_OF_A_KEY if own else None)
        lease = policy.lease(f"req_{next(numbers)}", tokens)
        for _ in range(2):
            if ended:
                self.bench.settle(f"~{lease}", tokens)
            else:
                self.bench.run("adopt", lease)
        self.bench.ask(policy, tokens, lease=lease)  # what Redis had not read when it froze
        self.lines.append(Admitted(self.bench.now, tokens, lease, own, open=not ended))

    @rule(seconds=st.sampled_from([0, 1, 1, 2, 30, 59, 60, 61, 300, 661, DAY, 40 * DAY]))
    def wait(self, seconds: int) -> None:
        self.bench.turn_to(self.bench.now + seconds)

    @rule()
    def lose_the_counters(self) -> None:
        self.sweep()
        if any(line.open for line in self.lines):
            return  # what runs just now is restored by its row only once it has ended
        spent = [
            Spent(*(self.used(scope, name) for name in list(names)[2:]))
            for scope, names in KNOWN.items()
        ]
        self.bench.forget()
        self.bench.restore(*spent)
        for line in self.lines:
            line.restored = True  # in the day and the month; nobody knows the seconds

    @invariant()
    def every_counter_is_the_sum_of_its_lines(self) -> None:
        self.sweep()
        policy = policy_of(PLENTY, PLENTY_OF_A_KEY)
        self.check(self.bench.ask(policy, 0, verb="peek"), {"requests": 0, "tokens": 0})


OnPaper.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestOnPaper = OnPaper.TestCase


@pytest.mark.t2
class TestTenThousandTimes(OnPaper.TestCase):
    settings = settings(max_examples=10_000, stateful_step_count=15, deadline=None)
