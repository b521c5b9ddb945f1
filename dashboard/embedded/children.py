"""Child processes that never outlive us, whatever happens to us."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
ACCOUNTS = ("postgres", "nobody")  # whom root becomes for servers that refuse to run as root


class Trouble(Exception):
    """Something stands in the way of starting; the message says what to do."""


def die_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """Have the kernel send us ``number`` when our parent ends, even by ``kill -9``. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number)


def spawn(
    command: Sequence[str | Path],
    *,
    ends_on: signal.Signals = signal.SIGTERM,
    account: pwd.struct_passwd | None = None,
    output: IO[bytes] | int | None = None,
    cwd: Path | None = None,
    secrets: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own; it gets ``ends_on`` should we end before it.

    ``secrets`` are added to its environment, where others cannot read them.
    """
    return subprocess.Popen(
        [str(word) for word in command],
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
        cwd=cwd,
        env={**os.environ, **secrets} if secrets else None,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        preexec_fn=_before_exec(ends_on),
    )


def _before_exec(ends_on: signal.Signals) -> Callable[[], None]:
    parent = os.getpid()

    def before_exec() -> None:
        die_with_parent(ends_on)
        if os.getppid() != parent:  # it ended before the kernel knew
            os._exit(1)

    return before_exec


def lesser_account() -> pwd.struct_passwd | None:
    """Whom a server must run as that refuses to run as root; None if we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Trouble("PostgreSQL does not run as root. Start as an ordinary user.")
