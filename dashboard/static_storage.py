"""Gathers files under names made of their content, and beside each text a copy in gzip."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage

TEXTS = {".css", ".js", ".svg", ".json", ".txt"}
SMALLEST = 500  # bytes that are worth it


class CompressedStorage(ManifestStaticFilesStorage):
    """The copies lie beside the originals, as ``<name>.gz``; ``static_files`` hands them out."""

    def post_process(self, *args: Any, **options: Any) -> Iterator[Any]:
        yield from super().post_process(*args, **options)
        for name in self.hashed_files.values():
            compress(Path(self.path(name)))


def compress(path: Path) -> None:
    content = path.read_bytes() if path.suffix in TEXTS and path.exists() else b""
    if len(content) >= SMALLEST:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(content, 9, mtime=0))
