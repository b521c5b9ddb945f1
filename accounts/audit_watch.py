"""The audit log is verified every night, and again whenever somebody asks."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path

from accounts import audit
from accounts.audit import SYSTEM, Action, End

log = logging.getLogger(__name__)
TOLD = 100  # flaws; a lost AUDIT_KEY makes every entry one


def watch() -> None:
    """Verify all chains. Flaws are errors in the log, and an entry that operators see."""
    first, number = "", 0
    for flaw in audit.verify():
        first, number = first or str(flaw), number + 1
        if number <= TOLD:
            log.error("The audit log does not verify. %s", flaw)
    if number:
        audit.record(None, Action.AUDIT_FLAWED, by=SYSTEM, about=first, flaws=number)


def read_anchors(path: Path) -> dict[int, End]:
    """The ends of chains that an earlier verification left. Raises ValueError."""
    if not path.exists():
        return {}
    try:
        kept = json.loads(path.read_text())
        return {int(chain): End(int(n), bytes.fromhex(mac)) for chain, (n, mac) in kept.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"{path} holds no anchors: {error}") from error


def write_anchors(path: Path, ends: Mapping[int, End]) -> None:
    """All of them or, should we be cut short, what was there before."""
    kept = {chain: (end.number, end.mac.hex()) for chain, end in sorted(ends.items())}
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(json.dumps(kept, indent=1) + "\n")
    draft.rename(path)
