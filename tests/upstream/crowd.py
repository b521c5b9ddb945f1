"""A thousand users at once, half of whom change their minds at the worst moment."""

import asyncio
import random
import re
import string
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice, product

from accounts.audit import SYSTEM
from accounts.models import Account, APIKey, User
from accounts.scopes import Scope
from billing.models import Plan, Subscription
from tests.people import Issued
from tests.upstream.conversation import Conversation
from tests.upstream.ledger import Seen
from tests.upstream.rig import PATHS

WORD = re.compile(rb"#[a-z]{3}")
PLANS = 20
ALLOWED = 100_000  # requests a minute in the first plan, one more in each other


@dataclass
class Person:
    """Somebody with an account and a word of four letters that nobody else says."""

    word: str
    key: Issued
    allowed: int
    asked: int = 0


@dataclass
class Crowd:
    """What everybody saw. ``strange`` are the words of others, ``implausible`` the limits."""

    people: list[Person]
    seen: list[Seen] = field(default_factory=list)
    cancelled: int = 0
    strange: list[str] = field(default_factory=list)
    implausible: list[str] = field(default_factory=list)


def gather(number: int) -> list[Person]:
    """So many people with accounts of their own, on a few plans; none has a password."""
    many = {"tokens_per_minute": 10**9, "tokens_per_day": 10**9}
    plans = [
        Plan.objects.create(
            slug=f"crowd-{n}", name="Crowd", limits=many | {"requests_per_minute": ALLOWED + n}
        )
        for n in range(PLANS)
    ]
    return [person(n, word, plans[n % PLANS]) for n, word in enumerate(islice(words(), number))]


def words() -> Iterator[str]:
    return ("#" + "".join(letters) for letters in product(string.ascii_lowercase, repeat=3))


def person(number: int, word: str, plan: Plan) -> Person:
    account = Account.objects.open_for(User.objects.create(email=f"crowd{number}@example.com"))
    Subscription.objects.start(account, plan)
    issued = APIKey.objects.issue(account, name="Crowd", scopes=list(Scope.values), by=SYSTEM)
    return Person(word, Issued(*issued), plan.limits["requests_per_minute"])


class Storm:
    """Sends requests, of which every second one is given up: at connecting, before the headers,
    between two chunks, or twice in a row."""

    def __init__(self, port: int, crowd: Crowd, *, talks: str, hangs: str, seed: int) -> None:
        self._port, self._crowd = port, crowd
        self._talks, self._hangs = talks, hangs
        self._random = random.Random(seed)

    async def run(self, requests: int, *, at_once: int) -> None:
        numbers = iter(range(requests))

        async def worker() -> None:
            for number in numbers:
                await self._one(number)

        await asyncio.gather(*[worker() for _ in range(at_once)])

    async def _one(self, number: int) -> None:
        who = self._crowd.people[number % len(self._crowd.people)]
        point = self._random.choice(["connect", "headers", "chunk", "twice"])
        if number // len(self._crowd.people) % 2 == 0:
            await self._ask(who, f"storm-{number}", "never")
            return
        self._crowd.cancelled += 1
        await self._ask(who, f"storm-{number}", "chunk" if point == "twice" else point)
        if point == "twice":
            await self._ask(who, f"storm-{number}-again", "headers")

    async def _ask(self, who: Person, name: str, until: str) -> None:
        streamed = until == "chunk" or self._random.random() < 0.5
        hangs = until == "headers" and self._random.random() < 0.5
        body = {
            "model": self._hangs if hangs else self._talks,
            "messages": [{"role": "user", "content": f"Say {who.word}"}],
            "max_tokens": 50,
            "user": name,
            "stream": streamed,
        }
        talk = Conversation(self._port, who.key.plaintext, PATHS["chat"], body)
        who.asked += until != "connect"
        await talk.connect()
        with suppress(ConnectionError):
            await self._speak(talk, until)
        self._note(who, name, talk, streamed=streamed)

    async def _speak(self, talk: Conversation, until: str) -> None:
        if until == "never":
            await talk.ask()
            await talk.hear_all()
            return
        if until != "connect":
            await talk.ask()
            await (self._pause() if until == "headers" else self._listen(talk))
        await talk.leave(rudely=self._random.random() < 0.5)

    async def _pause(self) -> None:
        await asyncio.sleep(self._random.uniform(0, 0.1))

    async def _listen(self, talk: Conversation) -> None:
        """Until a random chunk."""
        chunks = self._random.randrange(12)
        while len(WORD.findall(talk.received)) < chunks and await talk.hear_more():
            pass

    def _note(self, who: Person, name: str, talk: Conversation, *, streamed: bool) -> None:
        found = [word.decode() for word in WORD.findall(talk.received)]
        self._crowd.strange += [f"{name}: {word}" for word in found if word != who.word]
        status, headers = talk.status, talk.headers
        one = Seen(name, status, headers.get("x-request-id", ""), len(found))
        one.complete = talk.done if streamed else bool(found)
        self._crowd.seen.append(one)
        if status == 200:
            limit = int(headers["x-ratelimit-limit-requests"])
            used = limit - int(headers["x-ratelimit-remaining-requests"])
            if limit != who.allowed or not 0 < used <= who.asked:
                self._crowd.implausible.append(f"{name}: {used} of {limit}, asked {who.asked}")
