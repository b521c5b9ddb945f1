"""What the simulated Stripe remembers: one SQLite file, one transaction per request.

Nothing is answered before it is committed, so a process that is killed has lost nothing that
anybody was told. A transaction that fails leaves no trace.
"""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Doc = dict[str, Any]  # an object of the API; names that begin with _ are ours and never leave

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, object TEXT NOT NULL,
    due INTEGER, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS objects_of_a_kind ON objects (object, seq);
CREATE INDEX IF NOT EXISTS objects_due ON objects (due, seq) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, question TEXT NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
    event TEXT PRIMARY KEY, due REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Store:
    """Objects by id. The same object is one mapping for all who find it within a transaction.

    ``due_at`` tells when time must do something to an object; it is asked on each ``put``.
    """

    def __init__(self, path: str, due_at: Callable[[Doc], int | None]) -> None:
        self._due_at = due_at
        self._lock = threading.RLock()
        self._found: dict[str, Doc] = {}
        self._depth = 0
        self.sql = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.sql.execute("PRAGMA journal_mode = WAL")
        self.sql.execute("PRAGMA synchronous = NORMAL")  # outlives the process, not the power
        self.sql.executescript(SCHEMA)

    def close(self) -> None:
        with self._lock:
            self.sql.close()

    def forget(self) -> None:
        """Be as new."""
        with self.transaction():
            self._found.clear()
            for table in ("objects", "answers", "deliveries", "facts"):
                self.sql.execute(f"DELETE FROM {table}")  # noqa: S608  # names of ours

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One thread at a time. What raises undoes its own part, and that of those within it."""
        with self._lock:
            level = f"level_{self._depth}"
            self._depth += 1
            self.sql.execute(f"SAVEPOINT {level}")
            try:
                yield
            except BaseException:
                self._found.clear()
                self.sql.execute(f"ROLLBACK TO {level}")
                raise
            finally:
                self._depth -= 1
                self.sql.execute(f"RELEASE {level}")  # the outermost commits
                if not self._depth:
                    self._found.clear()

    def find(self, key: str) -> Doc | None:
        if key in self._found:
            return self._found[key]
        return self._remember(key, self.stored(key))

    def stored(self, key: str) -> str | None:
        """As it was last put, whatever has been done to the mapping since."""
        row = self.sql.execute("SELECT body FROM objects WHERE id = ?", (key,)).fetchone()
        return row[0] if row else None

    def put(self, doc: Doc) -> None:
        self._found[doc["id"]] = doc
        self.sql.execute(
            "INSERT INTO objects (id, object, due, body) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET due = excluded.due, body = excluded.body",
            (doc["id"], doc["object"], self._due_at(doc), json.dumps(doc)),
        )

    def all(self, kind: str, **where: Any) -> list[Doc]:
        """Those whose fields have these values, the newest first."""
        query = "SELECT id, body FROM objects WHERE object = ?"
        for name in where:
            query += f" AND json_extract(body, '$.{name}') = ?"
        rows = self.sql.execute(query + " ORDER BY seq DESC", (kind, *where.values())).fetchall()
        return [
            doc for key, body in rows if (doc := self._found.get(key) or self._remember(key, body))
        ]

    def next_due(self, until: int) -> tuple[int, Doc] | None:
        """The first object to which time has something to do, and when."""
        row = self.sql.execute(
            "SELECT due, id FROM objects WHERE due <= ? ORDER BY due, seq LIMIT 1", (until,)
        ).fetchone()
        doc = self.find(row[1]) if row else None
        return (row[0], doc) if doc else None

    def schedule(self, event: str, due: float, attempts: int = 0) -> None:
        """Have an event delivered when the real time is ``due``."""
        self.sql.execute("REPLACE INTO deliveries VALUES (?, ?, ?)", (event, due, attempts))

    def scheduled(self, until: float) -> list[tuple[str, int]]:
        """The events that are due by then, in the order in which they happened; their attempts."""
        return self.sql.execute(
            "SELECT event, attempts FROM deliveries JOIN objects ON id = event"
            " WHERE deliveries.due <= ? ORDER BY seq",
            (until,),
        ).fetchall()

    def unschedule(self, event: str) -> None:
        self.sql.execute("DELETE FROM deliveries WHERE event = ?", (event,))

    def fact(self, name: str, otherwise: Any) -> Any:
        row = self.sql.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else otherwise

    def set_fact(self, name: str, value: Any) -> None:
        self.sql.execute("REPLACE INTO facts VALUES (?, ?)", (name, json.dumps(value)))

    def answer(self, key: str) -> tuple[str, int, bytes] | None:
        """What was asked under an idempotency key, and how it was answered."""
        found = self.sql.execute("SELECT question, status, body FROM answers WHERE key = ?", (key,))
        row: tuple[str, int, bytes] | None = found.fetchone()
        return row

    def keep_answer(self, key: str, question: str, status: int, body: bytes) -> None:
        self.sql.execute("INSERT INTO answers VALUES (?, ?, ?, ?)", (key, question, status, body))

    def _remember(self, key: str, body: str | None) -> Doc | None:
        if body is None:
            return None
        doc: Doc = json.loads(body)
        if self._depth:
            self._found[key] = doc
        return doc
