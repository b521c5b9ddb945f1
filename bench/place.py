"""The instance that the benches of the log work on: the folder ``KEYPLEX_DATA``, which stays."""

import contextlib
from collections.abc import Iterator

from django.conf import settings
from django.db import connections

from dashboard.embedded.servers import servers_of


@contextlib.contextmanager
def servers(**postgres_options: str) -> Iterator[None]:
    """Its embedded servers, where ``DATABASE_URL`` and ``REDIS_URL`` name no others."""
    with contextlib.ExitStack() as stack:
        for server in servers_of(settings.INSTANCE, **postgres_options):
            stack.callback(server.stop, server.start())
        stack.callback(connections.close_all)
        yield
