"""PostgreSQL and Redis: there, new enough, and set up as we need them."""

from collections.abc import Iterator

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from dashboard.doctor.finding import Finding, broken, fine, look
from dashboard.metrics.of_stores import clock_skew, link

OLDEST_POSTGRESQL = 140000
OLDEST_REDIS = (6, 2)
SKEW, TOO_MUCH_SKEW = 2.0, 30.0  # seconds


def postgresql() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0].partition(" ")[0]
        cursor.execute("SHOW server_version_num")
        number = int(cursor.fetchone()[0])
    if number < OLDEST_POSTGRESQL:
        yield broken(f"PostgreSQL {version} is too old.", "Move to 14 or newer.")
    else:
        yield fine(f"PostgreSQL {version} answers.")


def migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    graph = executor.loader.graph
    plan = executor.migration_plan(graph.leaf_nodes())
    unknown = [name for name in executor.loader.applied_migrations if name not in graph.nodes]
    if unknown:
        yield broken(
            f"The database was used by a newer version ({'.'.join(unknown[0])}).",
            "Start that version.",
        )
    if plan:
        first = plan[0][0]
        yield broken(
            f"{len(plan)} migrations are missing, the first is {first.app_label}.{first.name}.",
            "manage.py migrate",
        )
    elif not unknown:
        yield fine("Every migration is applied.")


def clock() -> Iterator[Finding]:
    skew = clock_skew()
    says = f"This clock and PostgreSQL's differ by {abs(skew):.1f} s."
    remedy = "Have both hosts follow a time server."
    if abs(skew) > TOO_MUCH_SKEW:
        yield broken(says, remedy)
    elif abs(skew) > SKEW:
        yield look(says, remedy)
    else:
        yield fine(says)


def redis() -> Iterator[Finding]:
    with link() as client:
        server, memory = client.info("server"), client.info("memory")
    name = "Valkey" if server.get("server_name") == "valkey" else "Redis"
    version = str(server.get("valkey_version") or server["redis_version"])
    if tuple(map(int, version.split(".")[:2])) < OLDEST_REDIS:
        yield broken(f"{name} {version} is too old.", "Move to Redis 6.2 or newer, or to Valkey.")
    else:
        yield fine(f"{name} {version} answers.")
    policy = memory.get("maxmemory_policy", "unknown")
    if policy == "noeviction":
        yield fine("It keeps what it was given (maxmemory-policy noeviction).")
    else:
        yield broken(
            f"It may throw counters and tasks away (maxmemory-policy {policy}).",
            "CONFIG SET maxmemory-policy noeviction, and in its configuration file.",
        )
