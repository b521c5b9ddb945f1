"""This host: its journal, its recorder, the files that it serves, the site itself."""

import shutil
from collections.abc import Iterator
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.files.storage import storages

from dashboard.doctor.finding import Finding, broken, fine, look
from usage.journal import JournalUnavailable, check_writable
from usage.recorder_watch import watch

GIBIBYTE = 1 << 30
LITTLE, TOO_LITTLE = 5 * GIBIBYTE, GIBIBYTE // 2  # bytes left for the journal
LAG = 60.0  # seconds
PATIENCE = 5.0  # seconds for the site to answer


def journal() -> Iterator[Finding]:
    folder = settings.JOURNAL_DIR
    try:
        check_writable(folder)
    except JournalUnavailable as error:
        yield broken(f"The journal {folder} cannot be written: {error}", "Make it writable.")
        return
    free = shutil.disk_usage(folder).free
    says = f"The journal can be written, with {free / GIBIBYTE:.1f} GiB left on its disk."
    if free < TOO_LITTLE:
        yield broken(says, "Make room: without it every paid call is refused.")
    elif free < LITTLE:
        yield look(says, "Make room soon.")
    else:
        yield fine(says)


def recorder() -> Iterator[Finding]:
    found = watch(settings.JOURNAL_DIR)
    if not found.running:
        yield broken(
            "No recorder runs on this host, so nothing that is served gets into the log.",
            "manage.py record_usage, or ./start",
        )
    elif found.lag is None or found.lag > LAG:
        lag = "for ever" if found.lag is None else f"for {found.lag:.0f} s"
        yield broken(f"The recorder has not caught up {lag}.", "Its log says why.")
    else:
        yield fine(f"The recorder runs; all but the last {found.lag:.1f} s is in the log.")
    if found.damaged or found.rejected:
        yield look(
            f"{settings.JOURNAL_DIR} holds what could not be recorded.",
            "Look at *.damaged and rejected.jsonl, then manage.py audit_books.",
        )


def static_files() -> Iterator[Finding]:
    storage = storages.create_storage(settings.STORAGES["staticfiles"])
    if not isinstance(storage, ManifestStaticFilesStorage):
        yield look("Static files come from where they are developed.", "Unset KEYPLEX_DEBUG.")
        return
    files = {path for finder in finders.get_finders() for path, _ in finder.list([])}
    missing = sorted(files - storage.hashed_files.keys())
    if missing:
        yield broken(
            f"{len(missing)} static files are not collected, {missing[0]} for one.",
            "manage.py collectstatic",
        )
    else:
        yield fine(f"{len(files)} static files are collected.")


def site() -> Iterator[Finding]:
    """Whether it serves, asked as a balancer would."""
    url = f"{settings.SELF_URL}/readyz"
    try:
        with urlopen(url, timeout=PATIENCE):  # noqa: S310  # an address of ours
            yield fine(f"{settings.SELF_URL} is ready to serve.")
    except HTTPError as error:
        said = error.read().decode(errors="replace")[:300]
        yield broken(f"{url} answers {error.code}: {said}", "What is missing stands there.")
    except (URLError, OSError) as error:
        yield broken(
            f"{url} does not answer: {error}",
            "Start the web process, or say where it is: KEYPLEX_PORT, KEYPLEX_SELF_URL.",
        )
