"""One export at a time for each account, and how far it is."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache

LEASE = 120  # seconds without a batch after which another export may begin
REMEMBERED = 600  # seconds for which it can be seen how the last one went


class Overtaken(Exception):
    """Another export began because this one had stood still for so long."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to export just now. Whoever has it calls ``goes_on`` after every batch."""

    account_id: int
    token: str

    @classmethod
    def begin(cls, account_id: int) -> Turn | None:
        """None while another export of the account runs."""
        turn = cls(account_id, secrets.token_hex(8))
        if not cache.add(turn._lease, turn.token, LEASE):
            return None
        turn._tell(0, done=False)
        return turn

    def goes_on(self, rows: int) -> None:
        """So many rows are on their way. Raises Overtaken."""
        if cache.get(self._lease, self.token) != self.token:
            raise Overtaken
        cache.set(self._lease, self.token, LEASE)
        self._tell(rows, done=False)

    def done(self, rows: int) -> None:
        self._tell(rows, done=True)

    def end(self) -> None:
        """Let others begin, also when this one was broken off."""
        if cache.get(self._lease) == self.token:
            cache.delete(self._lease)

    @staticmethod
    def progress_of(account_id: int) -> dict[str, Any] | None:
        """``rows`` so far, and whether it ``runs`` or is ``done``; what is neither was broken off.

        None where nothing was exported lately.
        """
        told: dict[str, Any] | None = cache.get(progress_key(account_id))
        if told is None:
            return None
        runs = not told["done"] and cache.get(lease_key(account_id)) == told["token"]
        return told | {"runs": runs}

    @property
    def _lease(self) -> str:
        return lease_key(self.account_id)

    def _tell(self, rows: int, *, done: bool) -> None:
        told = {"token": self.token, "rows": rows, "done": done}
        cache.set(progress_key(self.account_id), told, REMEMBERED)


def lease_key(account_id: int) -> str:
    return f"log-export:{account_id}"


def progress_key(account_id: int) -> str:
    return f"log-export-progress:{account_id}"
