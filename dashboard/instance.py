"""One running Keyplex: its data folder, its secrets, and where its servers listen.

Everything that a process must know to join an instance follows from the data folder
alone, so ``manage.py`` works beside a running ``./start`` with no other setup.
"""

import fcntl
import hashlib
import json
import os
import secrets
import tempfile
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
SOCKET_PATH_LIMIT = 107  # bytes of sockaddr_un.sun_path, less the closing NUL
LONGEST_SOCKET_NAME = ".s.PGSQL.5432.lock"
CATALOG = "catalog/keyplex.toml"
SECRETS = (
    *("secret_key", "key_pepper", "audit_key", "mfa_key"),
    *("end_user_key", "sandbox_token", "webhook_key", "provider_key", "simulated_stripe"),
)


def reachable_by_others(path: Path) -> bool:
    """Whether an account that owns nothing can come to ``path`` through all its folders."""
    return all(
        folder.stat().st_mode & 0o001 for folder in path.absolute().parents if folder.exists()
    )


class Instance:
    """The data folder ``KEYPLEX_DATA`` (default ``var`` beside ``manage.py``)."""

    def __init__(self, data: Path) -> None:
        self.data = data

    @classmethod
    def from_environment(cls) -> "Instance":
        return cls(ROOT / os.environ.get("KEYPLEX_DATA", "var"))

    @property
    def catalog(self) -> Path:
        """``KEYPLEX_CATALOG``, else the file that this folder was last started with."""
        kept = self.data / "catalog"
        name = os.environ.get("KEYPLEX_CATALOG") or (kept.read_text() if kept.exists() else CATALOG)
        return ROOT / name

    def remember(self, catalog: Path) -> None:
        """Make ``catalog`` the one of this folder."""
        (self.data / "catalog").write_text(os.path.relpath(catalog, ROOT))

    @property
    def journal(self) -> Path:
        return self.data / "journal"

    @property
    def short_name(self) -> str:
        """A name for places outside the data folder, another one for each folder and user."""
        digest = hashlib.sha256(os.fsencode(self.data.absolute())).hexdigest()
        return f"keyplex-{os.getuid()}-{digest[:12]}"

    @property
    def sockets(self) -> Path:
        """Where the embedded servers listen: in the data folder, unless that cannot be.

        The path of a socket is short, and a server that root starts must come to it as another
        account.
        """
        inside = self.data / "run"
        fits = len(os.fsencode(inside / LONGEST_SOCKET_NAME)) <= SOCKET_PATH_LIMIT
        if fits and (os.getuid() != 0 or reachable_by_others(inside)):
            return inside
        return Path(tempfile.gettempdir()) / self.short_name

    @property
    def database_url(self) -> str:
        """``DATABASE_URL``, else the embedded PostgreSQL of this folder."""
        embedded = f"postgresql://keyplex@/keyplex?host={quote(str(self.sockets))}"
        return os.environ.get("DATABASE_URL") or embedded

    @property
    def redis_url(self) -> str:
        """``REDIS_URL``, else the embedded Valkey of this folder."""
        return os.environ.get("REDIS_URL") or f"unix://{self.sockets / 'redis.sock'}"

    @property
    def broker_url(self) -> str:
        """The same server and database in the spelling that Celery understands."""
        if not self.redis_url.startswith("unix://"):
            return self.redis_url
        socket = self.redis_url.removeprefix("unix://")
        return "redis+socket://" + socket.replace("?db=", "?virtual_host=", 1)

    def secret(self, name: str) -> str:
        """A secret of one purpose: ``KEYPLEX_<NAME>``, else made once and kept in the folder."""
        return os.environ.get(f"KEYPLEX_{name.upper()}") or self._secrets[name]

    @cached_property
    def _secrets(self) -> dict[str, str]:
        """The folder's own secrets; readable by its owner only, written whole or not at all."""
        path = self.data / "secrets.json"
        self.data.mkdir(mode=0o711, parents=True, exist_ok=True)
        with (self.data / "secrets.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
            missing = set(SECRETS) - kept.keys()
            if missing:
                kept |= {name: secrets.token_urlsafe(48) for name in sorted(missing)}
                draft = path.with_suffix(".new")
                draft.touch(mode=0o600)
                draft.write_text(json.dumps(kept, indent=1))
                draft.replace(path)
        return kept
