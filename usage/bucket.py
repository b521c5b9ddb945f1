"""The S3-compatible store that forgotten days go to, if the operator named one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from typing import IO, Any

import obstore
from django.conf import settings
from obstore.exceptions import BaseError
from obstore.store import S3Store

PATIENCE = timedelta(seconds=20)  # for all tries of one request


class BucketTrouble(Exception):
    """The store cannot be reached, does not let us in, or gave back something else."""


class Bucket:
    """Objects by their paths below the prefix. Every verb raises BucketTrouble."""

    def __init__(self, store: S3Store) -> None:
        self._store = store

    @classmethod
    def from_settings(cls) -> Bucket | None:
        """The bucket that ``KEYPLEX_ARCHIVE_BUCKET`` names; None if it names none."""
        if not settings.ARCHIVE_BUCKET:
            return None
        given: dict[str, Any] = {
            "endpoint": settings.ARCHIVE_ENDPOINT,
            "access_key_id": settings.ARCHIVE_ACCESS_KEY,
            "secret_access_key": settings.ARCHIVE_SECRET_KEY,
        }
        store = S3Store(
            settings.ARCHIVE_BUCKET,
            prefix=settings.ARCHIVE_PREFIX or None,
            region=settings.ARCHIVE_REGION,
            client_options={
                "allow_http": settings.ARCHIVE_ENDPOINT.startswith("http://"),
                "connect_timeout": timedelta(seconds=5),
            },
            retry_config={"max_retries": 3, "retry_timeout": PATIENCE},
            **{name: value for name, value in given.items() if value},
        )
        return cls(store)

    def put(self, path: str, file: IO[bytes]) -> None:
        """All of the file from its beginning, in parts if it is long, or nothing."""
        file.seek(0)
        with _trouble():
            obstore.put(self._store, path, file)

    def chunks(self, path: str) -> Iterator[bytes]:
        """What the object holds, piece by piece."""
        with _trouble():
            for chunk in obstore.get(self._store, path).stream(min_chunk_size=1 << 20):
                yield bytes(chunk)

    def paths(self, prefix: str) -> list[str]:
        """The objects below a prefix, which ends where a folder does."""
        with _trouble():
            return [found["path"] for page in obstore.list(self._store, prefix) for found in page]

    def check(self) -> None:
        """Whether we can write to it and read from it."""
        with _trouble():
            obstore.put(self._store, "check", b"")
            obstore.get(self._store, "check").bytes()


@contextlib.contextmanager
def _trouble() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        said = str(error).partition("\n")[0].partition(": <?xml")[0]
        raise BucketTrouble(said) from error
