"""Log rows as they could have happened: who calls when, what for, and how it ends.

The same day and number give the same rows, whoever makes them and however often.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from itertools import accumulate

# When people work, hour by hour in UTC, and how much less they do at weekends.
HOURS = [3, 2, 2, 2, 2, 3, 5, 8, 11, 13, 14, 14, 13, 14, 15, 15, 14, 13, 11, 9, 8, 7, 5, 4]
WEEKEND = 0.55
# Model, provider, tokens of a usual prompt and answer, milliseconds a token.
MODELS = [
    ("openai/gpt-4o-mini", "openai", 900, 220, 7),
    ("openai/gpt-4o", "openai", 1500, 350, 14),
    ("anthropic/claude-sonnet-4", "anthropic", 2600, 500, 16),
    ("google/gemini-2.5-flash", "google", 1200, 260, 5),
    ("meta-llama/llama-3.3-70b-instruct", "openrouter", 800, 300, 11),
    ("mistral/mistral-large", "mistral", 700, 240, 12),
    ("deepseek/deepseek-chat", "deepseek", 1800, 420, 20),
    ("openai/text-embedding-3-small", "openai", 450, 0, 1),
]
AGENTS = [
    *("OpenAI/Python 2.8.1", "OpenAI/JS 6.9.0", "langchain-openai/1.0.3", "curl/8.11.0"),
    *("python-requests/2.32.5", "Go-http-client/2.0", "LiteLLM/1.80", "Continue/1.3"),
]
# Outcome, status, type, code, message, and how many of ten thousand calls end so.
ENDINGS = [
    ("refused", 429, "rate_limit_error", "rate_limit_exceeded", "Rate limit reached.", 190),
    ("refused", 429, "rate_limit_error", "quota_exceeded", "Tokens today are used up.", 60),
    ("client_error", 400, "invalid_request_error", "", "messages must not be empty.", 70),
    ("client_error", 404, "invalid_request_error", "model_not_found", "No such model.", 40),
    ("upstream_error", 502, "upstream_error", "upstream_failed", "The provider failed.", 50),
    ("upstream_error", 504, "upstream_error", "upstream_timeout", "The provider was silent.", 20),
    ("client_disconnect", 499, "", "", "", 60),
    ("interrupted", 500, "server_error", "interrupted", "The process ended.", 2),
]
BUT_OK = [ending for ending in ENDINGS for _ in range(ending[5])]


@dataclass(frozen=True)
class Habit:
    """What an account does again and again: one program, with one key and one model."""

    api_key: int
    model: str
    provider: str
    prompt: int
    answer: int
    pace: int
    streamed: bool
    ip: str
    agent: str

    @property
    def endpoint(self) -> str:
        return "chat/completions" if self.answer else "embeddings"


@dataclass(frozen=True)
class Customer:
    account: int
    retention_class: str
    weight: float
    per_minute: int
    end_users: int
    habits: list[Habit] = field(default_factory=list)


def customer(account: int, rank: int, keys: list[int], retention_class: str) -> Customer:
    """The ``rank``-th biggest of all accounts, with the habits that go with its size."""
    some = random.Random(account)
    weight = 1 / rank
    models = some.sample(MODELS, some.randint(1, 4))
    habits = [
        Habit(
            some.choice(keys),
            *some.choice(models),
            some.random() < 0.6,
            f"203.0.113.{some.randrange(256)}",
            some.choice(AGENTS),
        )
        for _ in range(some.randint(2, 8))
    ]
    end_users = 0 if some.random() < 0.3 else int(4000 * weight) + 5
    return Customer(account, retention_class, weight, 60 + int(20000 * weight), end_users, habits)


def share_of(day: date, now: datetime) -> float:
    """How much happens on a day compared with others, as far as it has passed."""
    passed = (now - datetime.combine(day, time(), UTC)).total_seconds() / 3600
    done = sum(share * min(1.0, max(0.0, passed - hour)) for hour, share in enumerate(HOURS))
    return done / sum(HOURS) * (WEEKEND if day.weekday() >= 5 else 1.0)


def rows(day: date, number: int, customers: list[Customer], now: datetime) -> Iterator[str]:
    """``number`` lines for COPY, in the order in which they happened."""
    chance = random.Random(f"{day} {number} {customers[0].account}")
    cumulated = list(accumulate(customer.weight for customer in customers))
    midnight = datetime.combine(day, time(), UTC).timestamp()
    for moment in moments(chance, number, (now.timestamp() - midnight) / 3600):
        [chosen] = chance.choices(customers, cum_weights=cumulated)
        yield row(chance, day, midnight, moment, chosen)


def moments(chance: random.Random, number: int, hours: float) -> Iterator[float]:
    """Seconds since midnight, ascending, none of them after so many ``hours``."""
    shares = [share * min(1.0, max(0.0, hours - hour)) for hour, share in enumerate(HOURS)]
    ends = [round(number * part / sum(shares)) for part in accumulate(shares)]
    for hour, (begin, end) in enumerate(zip([0, *ends], ends, strict=False)):
        longest = min(1.0, max(0.0, hours - hour))
        for part in sorted(chance.random() for _ in range(end - begin)):
            yield 3600 * (hour + part * longest)


def row(chance: random.Random, day: date, midnight: float, moment: float, who: Customer) -> str:
    """One line in the text format of COPY, its columns in the order of the table."""
    habit = who.habits[int(chance.random() * len(who.habits))]
    lot = int(chance.random() * 10_000)
    outcome, status, kind, code, message, _ = BUT_OK[lot] if lot < len(BUT_OK) else OK
    asked = outcome not in ("refused", "client_error")
    prompt = 1 + int(chance.expovariate(1 / habit.prompt)) if asked else 0
    answer = int(chance.expovariate(1 / habit.answer)) if asked and habit.answer else 0
    first = 90 + int(chance.expovariate(1 / 180)) if asked else 0
    latency = first + answer * habit.pace if asked else 1 + int(chance.random() * 4)
    hour, rest = divmod(moment, 3600)
    minute, second = divmod(rest, 60)
    number = int((midnight + moment) * 1000)
    end_user = f"user-{int(chance.random() ** 2 * who.end_users)}" if who.end_users else ""
    return (
        f"req_{number:012x}{chance.getrandbits(64):016x}\t{day}\t{who.retention_class}"
        f"\t{who.account}\t{habit.api_key}"
        f"\t{day} {int(hour):02d}:{int(minute):02d}:{min(second, 59.999999):09.6f}+00"
        f"\t{habit.endpoint}\t{habit.model}\t{habit.model}\t{habit.provider if asked else ''}"
        f"\t{status}\t{outcome}\t{kind}\t{code}\t{message}\t{prompt}\t{answer}"
        f"\t{'provider' if asked else 'counted'}\t{latency}\t{first if asked else NULL}"
        f"\t{habit.streamed}\t{habit.ip}\t{habit.agent}\t{end_user}\t{int(asked)}\t{asked}"
        f"\t{decision(chance, who, habit, status, number // 1000, prompt + answer, asked)}\n"
    )


def decision(
    chance: random.Random,
    who: Customer,
    habit: Habit,
    status: int,
    now: int,
    tokens: int,
    asked: bool,
) -> str:
    """Why it went so, in the words of ``gateway.meter.Meter.record``."""
    used = int(chance.random() * who.per_minute) if asked else who.per_minute
    left = max(0, who.per_minute - used - 1)
    limits = (
        f'{{"name":"requests_per_minute","limit":{who.per_minute},"used":{used},"asked":1,'
        f'"remaining":{left},"reset":{now + 60}}},'
        f'{{"name":"tokens_per_minute","limit":{who.per_minute * 4000},"used":{used * 1100},'
        f'"asked":{tokens + 500},"remaining":{left * 1100},"reset":{now + 60}}}'
    )
    if not asked:
        return f'{{"admitted":false,"limits":[{limits}]}}'
    route = (
        f'{{"provider":"{habit.provider}","outcome":"answered","model":"{habit.model}",'
        f'"began_ms":1,"status":{status},"ms":{90 + used % 200}}}'
    )
    return f'{{"admitted":true,"limits":[{limits}],"routes":[{route}]}}'


NULL = "\\N"
OK = ("ok", 200, "", "", "", 0)
