"""The limits of one caller in the forms that the hot path needs: words for Redis, and headers."""

from dataclasses import dataclass
from typing import Any, Literal

from billing.limits import NAMES, OF_KEYS, SOFT, Limit, Limits, Named
from gateway.decisions import Decision, Scope, Use
from gateway.errors import Headers
from gateway.months import DAY, next_month

Verb = Literal["admit", "rehearse", "peek"]
MINUTE_CELLS = 61  # a one-second cell counts until 61 seconds after it began
POSITIONS = {name: position for position, name in enumerate(OF_KEYS)}
COUNTED: dict[Scope, int] = {"account": len(NAMES), "key": len(OF_KEYS)}
STARTS: dict[Scope, int] = {"account": 2, "key": 5 + COUNTED["account"]}  # in the script's reply
FIRST = 1  # from a start: the counters; after them, when a request would pass the minute
UNITS, WINDOWS = ["requests", "tokens"], ["minute", "day", "month", "lifetime"]


@dataclass(frozen=True, slots=True)
class Row:
    """One limit, and where the script's reply tells of it."""

    limit: Limit
    scope: Scope

    @property
    def label(self) -> str:
        """``tokens-day``, or ``key-tokens-day``, as structured fields name it."""
        own = "key-" if self.scope == "key" else ""
        return f"{own}{self.limit.unit}-{self.limit.window}"

    def plan(self) -> tuple[str, int, bool, Scope, int, int, int, int, int]:
        limit, start = self.limit, STARTS[self.scope]
        passes = start + FIRST + COUNTED[self.scope]
        unit, window = UNITS.index(limit.unit), WINDOWS.index(limit.window)
        number = start + FIRST + POSITIONS[limit.name.removeprefix(SOFT)]
        return limit.name, limit.amount, limit.soft, self.scope, unit, window, start, number, passes


class Policy:
    """The limits of an account and of one key; ``own_counters`` name those of the key, if any."""

    def __init__(self, account: Limits, own: Limits = (), own_counters: str = "") -> None:
        self.own_counters = own_counters if own else ""
        self.words = amounts(account) + ([own_counters, *amounts(own, OF_KEYS)] if own else [])
        rows = [Row(limit, "account") for limit in account] + [Row(limit, "key") for limit in own]
        self._plan = [row.plan() for row in rows]
        self._fields = Fields(rows)

    def lease(self, request_id: str, tokens: int) -> str:
        """The name of a reservation, known before it is made."""
        lease = f"{request_id}|{tokens}"
        return f"{lease}|{self.own_counters}" if self.own_counters else lease

    def read(self, reply: list[Any], tokens: int, verb: Verb) -> Decision:
        """The script's answer as a Decision."""
        now, admitted = reply[1], reply[0] == b"ok"
        asks = (0, 0) if verb == "peek" else (1, tokens)
        counted, rehearsed = admitted and verb == "admit", admitted and verb == "rehearse"
        ends = (0, (now // DAY + 1) * DAY, next_month(now // DAY), None)
        uses: list[Use] = []
        lefts: list[int] = []
        for name, amount, soft, scope, unit, window, start, at, passes in self._plan:
            number, ask = reply[at], asks[unit]
            used = number - ask if counted else number
            end = ends[window] if window else max(now, reply[start] + MINUTE_CELLS)
            passes_at = None
            if not admitted and not soft and used + ask > amount >= ask:
                end = passes_at = end if window else reply[passes + unit]
            left = amount - number if number < amount else 0
            remaining = max(0, left - ask) if rehearsed else left
            uses.append(Use(name, amount, used, ask, remaining, end, passes_at, scope))
            lefts.append(left)
        return Decision(admitted, now, uses, self._fields.headers(now, uses, lefts))


class Fields:
    """The header fields that tell the limits: the documented ones, and those of the IETF draft.

    The documented ones show, for each unit and window, the tighter of account and key;
    ``X-RateLimit-Scope`` says whose limit is the tightest of all, ``RateLimit`` lists every one.
    Soft limits are told only once they are passed.
    """

    def __init__(self, rows: list[Row]) -> None:
        hard = {index: row for index, row in enumerate(rows) if not row.limit.soft}
        self._hard = list(hard)
        self._soft = {index: row.label for index, row in enumerate(rows) if row.limit.soft}
        self._one_scope = len({row.scope for row in hard.values()}) == 1
        self._shown: dict[bytes, tuple[bytes, bytes, list[int]]] = {}
        for index, row in hard.items():
            stated, remaining, reset = headers_of(row.limit)
            self._shown.setdefault(stated, (remaining, reset, []))[2].append(index)
        self._stated = [b"%d" % row.limit.amount for row in rows]
        policies = ", ".join(
            f'"{row.label}";q={row.limit.amount}{terms(row)}' for row in hard.values()
        )
        self._policy = (b"ratelimit-policy", policies.encode())
        self._state = ", ".join(f'"{row.label}";r=%d%b' for row in hard.values()).encode()

    def headers(self, now: int, uses: list[Use], lefts: list[int]) -> Headers:
        """For one decision; ``lefts`` is what is really left of each limit."""
        headers: Headers = []
        if self._soft:
            headers += self._passed(uses)
        if not self._hard:
            return headers
        for stated, (remaining, reset, candidates) in self._shown.items():
            index = (
                candidates[0] if len(candidates) == 1 else min(candidates, key=lefts.__getitem__)
            )
            headers += ((stated, self._stated[index]), (remaining, b"%d" % lefts[index]))
            if (end := uses[index].reset) is not None:
                headers.append((reset, b"%d" % end))
        state: list[int | bytes] = []
        for index in self._hard:
            end = uses[index].reset
            state += (lefts[index], b"" if end is None else b";t=%d" % (end - now))
        headers += (
            self._policy,
            (b"ratelimit", self._state % tuple(state)),
            (b"x-ratelimit-scope", self._tightest(uses, lefts).encode()),
        )
        return headers

    def _tightest(self, uses: list[Use], lefts: list[int]) -> Scope:
        """Whose limit refuses this request, or would be the first to."""
        if self._one_scope:
            return uses[self._hard[0]].scope
        refusing = [index for index in self._hard if uses[index].exceeded] or self._hard
        return uses[min(refusing, key=lambda i: lefts[i] / (uses[i].limit or 1))].scope

    def _passed(self, uses: list[Use]) -> Headers:
        passed = [
            (label, uses[index]) for index, label in self._soft.items() if uses[index].exceeded
        ]
        told = [f"{label};limit={use.limit};used={use.used + use.asked}" for label, use in passed]
        return [(b"x-ratelimit-soft-passed", ", ".join(told).encode())] if told else []


def amounts(limits: Limits, names: Named = NAMES) -> list[str | int]:
    """The hard limits as the script takes them, -1 where there is none."""
    known = {limit.name: limit.amount for limit in limits}
    return [known.get(name, -1) for name in names]


def headers_of(limit: Limit) -> tuple[bytes, bytes, bytes]:
    """The headers for a limit, what is left of it, and its reset. The minute is not mentioned."""
    of_window = "" if limit.window == "minute" else f"-{limit.window}"
    unit = f"{limit.unit}{of_window}".encode()
    return (
        b"x-ratelimit-limit-" + unit,
        b"x-ratelimit-remaining-" + unit,
        b"x-ratelimit-reset-" + unit,
    )


def terms(row: Row) -> str:
    """Unit and window as the draft's parameters; a month has no number of seconds."""
    unit = "" if row.limit.unit == "requests" else f';qu="{row.limit.unit}"'
    return unit + {"minute": ";w=60", "day": ";w=86400"}.get(row.limit.window, "")
