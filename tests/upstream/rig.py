"""A site between a client and the zoo, and a look at everything that a request leaves behind."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

import httpx
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from gateway.models import CatalogVersion, LanguageModel, ModelRoute, Provider
from tests.crash.ledger import books, leases
from tests.gateway.site import Site
from tests.people import Issued
from tests.upstream.exchange import Trace
from tests.upstream.zoo import Zoo
from usage.models import RequestLog
from usage.recorder import Recorder

PATHS = {
    "chat": "/v1/chat/completions",
    "completions": "/v1/completions",
    "embeddings": "/v1/embeddings",
}
KINDS = {"chat": "chat", "completions": "completion", "embeddings": "embedding"}
SHORT = {"connect": 1, "first_byte": 0.4, "idle": 0.4, "total": 3}  # where a provider hangs
LONG = {"connect": 2, "first_byte": 10, "idle": 10, "total": 20}
SLACK = 3.0  # seconds that a slow machine may add to any deadline
T = TypeVar("T")
_numbers = count()


@dataclass(frozen=True)
class Dish:
    """A model that behaves in one way; ``spare`` gives it a second provider that always answers.

    Every dish has a provider of its own: what one breaks must not open the breaker of another.
    """

    behaviour: str
    kind: str = "chat"
    deadlines: dict[str, float] = field(default_factory=lambda: LONG)
    base_url: str = ""
    spare: bool = False
    case: str = field(default_factory=lambda: f"{next(_numbers)}")

    @property
    def model(self) -> str:
        return f"zoo/{self.behaviour}@{self.case}"

    @property
    def provider(self) -> str:
        return f"zoo-{self.case}"


@dataclass
class Seen:
    """What the client got, in how many seconds, and whether the answer came to its HTTP end."""

    status: int
    headers: httpx.Headers
    body: bytes
    seconds: float
    whole: bool

    @property
    def request_id(self) -> str:
        return self.headers["x-request-id"]


class Rig:
    """One account, one site, one zoo."""

    def __init__(self, site: Site, zoo: Zoo, key: Issued) -> None:
        self.site, self.zoo, self.key = site, zoo, key
        self.client = httpx.Client(base_url=site.url, timeout=40, headers=key.headers)
        self._recorder = Recorder(settings.JOURNAL_DIR)

    def serve(self, dishes: Iterable[Dish]) -> None:
        """Put models into the catalogue, and wait until every worker offers them."""
        dishes = list(dishes)
        now = timezone.now()
        Provider.objects.bulk_create(self._providers(dishes))
        LanguageModel.objects.bulk_create(
            LanguageModel(
                model_id=dish.model,
                kind=KINDS[dish.kind],
                owned_by="zoo",
                context_window=10_000,
                max_output_tokens=200,
                created_at=now,
            )
            for dish in dishes
        )
        models = {model.model_id: model for model in LanguageModel.objects.all()}
        providers = {provider.slug: provider for provider in Provider.objects.all()}
        for dish in dishes:
            ways = [(dish.provider, f"{dish.behaviour}@{dish.case}")]
            ways += [(f"{dish.provider}-spare", f"normal@{dish.case}-spare")] * dish.spare
            ModelRoute.objects.bulk_create(
                ModelRoute(
                    model=models[dish.model],
                    provider=providers[slug],
                    upstream_model=name,
                    priority=priority,
                )
                for priority, (slug, name) in enumerate(ways)
            )
        CatalogVersion.objects.update(number=F("number") + 1)
        self.site.see_catalog()

    def _providers(self, dishes: list[Dish]) -> list[Provider]:
        found = []
        for dish in dishes:
            url = dish.base_url or self.zoo.base_url
            found.append(self._provider(dish.provider, url, dish.deadlines))
            if dish.spare:
                found.append(self._provider(f"{dish.provider}-spare", self.zoo.base_url, LONG))
        return found

    @staticmethod
    def _provider(slug: str, url: str, deadlines: dict[str, float]) -> Provider:
        return Provider(slug=slug, name=slug, base_url=url, deadlines=deadlines)

    def body(self, dish: Dish, *, streamed: bool = False, **more: Any) -> dict[str, Any]:
        """A request for this dish."""
        asked: dict[str, Any] = {"model": dish.model, "user": "somebody"}
        if dish.kind == "embeddings":
            return asked | {"input": "Hello!", "encoding_format": "float"} | more
        prompt = "Hello, who are you?"
        asked |= {"max_tokens": 100}
        asked |= (
            {"messages": [{"role": "user", "content": prompt}]}
            if dish.kind == "chat"
            else {"prompt": prompt}
        )
        if streamed:
            asked |= {"stream": True, "stream_options": {"include_usage": True}}
        return asked | more

    def ask(self, dish: Dish, *, streamed: bool = False, **more: Any) -> Seen:
        """One request to its end, whatever that is."""
        begun, body, whole = time.monotonic(), b"", True
        asked = self.body(dish, streamed=streamed, **more)
        with self.client.stream("POST", PATHS[dish.kind], json=asked) as answer:
            try:
                for chunk in answer.iter_raw():
                    body += chunk
            except httpx.RemoteProtocolError:
                whole = False
        seconds = time.monotonic() - begun
        return Seen(answer.status_code, answer.headers, body, seconds, whole)

    def row(self, request_id: str) -> RequestLog:
        """The row of a request; it must come within 5 seconds, and once."""
        rows = until(lambda: self.rows(request_id), lambda found: bool(found), seconds=5)
        assert len(rows) == 1, f"{len(rows)} rows"
        return rows[0]

    def rows(self, *request_ids: str) -> list[RequestLog]:
        self.record()
        return list(RequestLog.objects.filter(request_id__in=request_ids))

    def record(self) -> None:
        self._recorder.run_once()

    def check_quiet(self, case: str) -> None:
        """Nothing is left of it: no connection in use, no reservation, and the books agree."""
        account = self.key.account.pk
        assert until(lambda: self.zoo.busy(case), lambda n: n == 0) == 0, "a leaked connection"
        assert until(lambda: leases(account), lambda n: n == 0) == 0, "an open reservation"
        counted = until(lambda: books(account), agree)
        assert agree(counted), counted

    def traces(self, dish: Dish) -> list[Trace]:
        return self.zoo.of(dish.case)


def agree(counted: dict[str, int | None]) -> bool:
    """Counters that were lost do not contradict anybody: the next admission restores them."""
    known = counted if counted["counters"] is not None else counted | {"counters": counted["rows"]}
    return len(set(known.values())) == 1


def until(look: Callable[[], T], good: Callable[[T], bool], seconds: float = 3) -> T:
    """Look until it is good, but not for ever; the last look."""
    end = time.monotonic() + seconds
    while not good(found := look()) and time.monotonic() < end:
        time.sleep(0.02)
    return found
