"""Which servers an instance brings along: those that no URL in the environment replaces."""

import os

from dashboard.embedded.children import Trouble, lesser_account
from dashboard.embedded.postgres import PostgreSQL
from dashboard.embedded.valkey import Valkey
from dashboard.instance import Instance

Server = PostgreSQL | Valkey


def servers_of(instance: Instance, **postgres_options: str) -> list[Server]:
    """The embedded servers to start, in order. Makes the folders that they need."""
    make_folders(instance)
    servers: list[Server] = []
    if not os.environ.get("DATABASE_URL"):
        servers.append(PostgreSQL(instance, **postgres_options))
    if not os.environ.get("REDIS_URL"):
        servers.append(Valkey(instance))
    return servers


def make_folders(instance: Instance) -> None:
    """The data folder and that of the sockets; only their owners can look into them.

    Raises Trouble if somebody else has made a folder of that name before us.
    """
    instance.data.mkdir(mode=0o711, parents=True, exist_ok=True)
    sockets, account = instance.sockets, lesser_account()
    owner = account.pw_uid if account else os.geteuid()
    try:
        sockets.mkdir(mode=0o700)
        os.chown(sockets, owner, -1)
    except FileExistsError:
        found = sockets.lstat()
        if sockets.is_symlink() or found.st_uid not in (owner, os.geteuid()):
            raise Trouble(f"{sockets} belongs to somebody else. Remove it.") from None
