"""Old days as compressed JSON lines in a bucket, one object for each account and day.

An object is named by the SHA-256 of its lines, so writing a day again changes nothing, and a day
that has other rows than before never takes the place of what is there. A manifest says what
belongs to a day; it is written last.
"""

import contextlib
import gzip
import hashlib
import heapq
import json
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from itertools import groupby
from typing import IO, Any

from django.db import connection, transaction

from usage import partitions
from usage.bucket import Bucket, BucketTrouble

FETCHED = 1000  # rows at a time
UNPACKED = 1 << 20  # bytes at a time
Chunks = Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a manifest: what one object holds. ``sha256`` is that of its unpacked lines."""

    path: str
    account_id: int
    rows: int
    bytes: int
    sha256: str


def keep(bucket: Bucket, retention_class: str, day: date) -> int:
    """Have every row of a day in the bucket, read back and compared; how many there are.

    It can be begun again after any end. Raises BucketTrouble.
    """
    table, rows = partitions.day_table(retention_class, day), 0
    with tempfile.TemporaryFile() as manifest:
        for account_id in accounts_in(table):
            entry = keep_account(bucket, table, account_id, day)
            manifest.write(json.dumps(asdict(entry)).encode() + b"\n")
            rows += entry.rows
        if rows:
            manifest.seek(0)
            digest = digest_of(manifest)
            path = f"manifests/{day:%Y-%m}/{day}.{digest[:16]}.jsonl"
            make_sure(bucket, path, manifest, digest, lambda chunks: chunks)
    return rows


def keep_account(bucket: Bucket, table: str, account_id: int, day: date) -> Entry:
    """Have the rows of one account in the bucket. It passes through a temporary file."""
    with tempfile.TemporaryFile() as file:
        rows, digest = pack(lines_of(table, account_id), file)
        path = f"{folder(account_id, day)}/{day}.{digest[:16]}.jsonl.gz"
        make_sure(bucket, path, file, digest, unpack)
        return Entry(path, account_id, rows, file.seek(0, 2), digest)


def read(bucket: Bucket, account_id: int, day: date) -> Iterator[bytes]:
    """The rows of an account and day as lines of JSON, each once. Raises BucketTrouble.

    There is more than one object only where rows came late, after the day had been archived.
    """
    paths = bucket.paths(folder(account_id, day))
    objects = [lines_in(bucket, path) for path in paths if f"/{day}." in path]
    for _, same in groupby(heapq.merge(*objects, key=place), key=place):
        yield next(same)


def folder(account_id: int, day: date) -> str:
    """All of an account lies below one folder, so that it can be deleted as a whole."""
    return f"accounts/{account_id}/{day:%Y-%m}"


def accounts_in(table: str) -> Iterator[int]:
    """The accounts that have rows in a table, each found with one look at its index."""
    account_id: int | None = 0
    while account_id is not None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT min(account_id) FROM {table} WHERE account_id > %s",  # noqa: S608
                [account_id],
            )
            (account_id,) = cursor.fetchone()
        if account_id is not None:
            yield account_id


def lines_of(table: str, account_id: int) -> Iterator[bytes]:
    """The rows of an account in the order in which they began, as PostgreSQL writes JSON."""
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(
            f"SELECT row_to_json(log)::text FROM {table} log WHERE account_id = %s"  # noqa: S608
            " ORDER BY started_at, request_id",
            [account_id],
        )
        while rows := cursor.fetchmany(FETCHED):
            yield from (f"{line}\n".encode() for (line,) in rows)


def pack(lines: Iterable[bytes], file: IO[bytes]) -> tuple[int, str]:
    """Write lines compressed; how many there were, and the SHA-256 of them all."""
    rows, digest = 0, hashlib.sha256()
    with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
        for line in lines:
            packed.write(line)
            digest.update(line)
            rows += 1
    return rows, digest.hexdigest()


def unpack(chunks: Chunks) -> Iterator[bytes]:
    """What was compressed, piece by piece. Raises BucketTrouble where it is torn or damaged."""
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        for chunk in chunks:
            yield unpacker.decompress(chunk, UNPACKED)
            while unpacker.unconsumed_tail:
                yield unpacker.decompress(unpacker.unconsumed_tail, UNPACKED)
    except zlib.error as error:
        raise BucketTrouble(f"an object is damaged: {error}") from error
    if not unpacker.eof:
        raise BucketTrouble("an object ends too early")


def make_sure(
    bucket: Bucket, path: str, file: IO[bytes], digest: str, opened: Callable[[Chunks], Chunks]
) -> None:
    """Have the file in the bucket: what comes back, ``opened``, has this digest."""
    with contextlib.suppress(BucketTrouble):  # not there, or torn: it is put there now
        if digest_of(opened(bucket.chunks(path))) == digest:
            return
    bucket.put(path, file)
    if digest_of(opened(bucket.chunks(path))) != digest:
        raise BucketTrouble(f"{path} comes back as something else than was sent")


def digest_of(chunks: Chunks) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def lines_in(bucket: Bucket, path: str) -> Iterator[bytes]:
    rest = b""
    for chunk in unpack(bucket.chunks(path)):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines


def place(line: bytes) -> tuple[str, str]:
    """Where a row stands in the order of its day."""
    row: dict[str, Any] = json.loads(line)
    return row["started_at"], row["request_id"]
