"""The simulated Stripe as its users have it: a process, the official client, and a receiver."""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import stripe

from tests.webhooks.receivers import Received, Receiver

KEY, SECRET = "sk_test_of_the_tests", "whsec_of_the_tests_and_long_enough"
GOOD, LATER_BAD, REFUSED = "4242424242424242", "4000000000000341", "4000000000000002"
ASKING, POOR = "4000002760003184", "4000000000009995"
BEGINNING = 1_830_297_600  # 1 January 2028
T = TypeVar("T")


@dataclass
class StripeServer:
    """One process. ``start`` it again after ``kill`` and it goes on where it was, at its port."""

    state: Path
    receiver: Receiver
    port: int = 0
    options: tuple[str, ...] = ()
    process: subprocess.Popen[str] | None = None
    browser: httpx.Client = field(default_factory=lambda: httpx.Client(verify=False, timeout=30))

    def start(self) -> None:
        command = [sys.executable, "-m", "billing.simulated", "--port", str(self.port)]
        command += ["--state", str(self.state), "--key", KEY, *self.options]
        command += ["--webhook", self.receiver.url, "--webhook-secret", SECRET]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.port = int(self.process.stdout.readline().rpartition(":")[2])

    def begin(self) -> None:
        """Everything forgotten, and the clock stands still."""
        self.control("reset")
        self.receiver.received.clear()
        self.receiver.statuses[:] = [200]
        self.control("freeze")
        self.advance(to=BEGINNING)

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self._reap()

    def stop(self) -> int:
        assert self.process
        self.process.terminate()
        self.browser.close()
        return self._reap()

    def _reap(self) -> int:
        assert self.process
        status = self.process.wait(10)
        assert self.process.stdout
        self.process.stdout.close()
        return status

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def client(self) -> stripe.StripeClient:
        return self.client_with(KEY)

    def client_with(self, key: str, **options: Any) -> stripe.StripeClient:
        return stripe.StripeClient(
            key, base_addresses={"api": self.url}, max_network_retries=0, **options
        )

    def control(self, verb: str, **given: Any) -> Any:
        """A control call; without anything given, a question."""
        headers, url = {"Authorization": f"Bearer {KEY}"}, f"{self.url}/_control/{verb}"
        if given or verb in ("deliver", "freeze", "reset"):
            answer = self.browser.post(url, json=given, headers=headers)
        else:
            answer = self.browser.get(url, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def advance(self, **by: int) -> None:
        self.control("advance", **by)

    @property
    def now(self) -> int:
        return int(self.control("clock")["now"])

    def events(self, *types: str) -> list[Received]:
        """What the receiver was sent and said yes to, as far as it is of these types."""
        self.settle()
        received = [one for one in self.receiver.received if one.status == 200]
        return [one for one in received if not types or one.type in types]

    def types(self) -> list[str]:
        return [one.type for one in self.events()]

    def settle(self) -> None:
        """Until all that is to be delivered has been."""
        until(lambda: self.control("deliveries")["waiting"], lambda waiting: not waiting)

    def visit(self, url: str, **typed: str) -> httpx.Response:
        """A page, or what comes of the form on it; no redirect is followed."""
        return self.browser.post(url, data=typed) if typed else self.browser.get(url)


def until(look: Callable[[], T], good: Callable[[T], bool], seconds: float = 10) -> T:
    """Look until it is good, but not for ever."""
    end = time.monotonic() + seconds
    while not good(found := look()):
        assert time.monotonic() < end, found
        time.sleep(0.02)
    return found
