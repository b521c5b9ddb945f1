"""Everything that is looked at, in the order in which one thing needs another."""

from collections.abc import Iterator

import redis
from django.conf import settings
from django.core.checks import ERROR, WARNING, run_checks
from django.db import Error

from dashboard.doctor import of_host, of_product, of_settings, of_stores, of_work
from dashboard.doctor.finding import Check, Finding, State, broken

FOR_THE_PUBLIC = "security."  # ids of checks that an instance of one's own need not pass


def system_checks() -> Iterator[Finding]:
    """Those of Django, and ours: Stripe, the archive."""
    for message in run_checks(include_deployment_checks=True):
        about_public = str(message.id).startswith(FOR_THE_PUBLIC)
        if message.level >= WARNING and not (about_public and settings.ONLY_HERE):
            state: State = "broken" if message.level >= ERROR else "look"
            says = " ".join(message.msg.split())
            yield Finding(state, f"{says} ({message.id})", message.hint or "")


CHECKS: tuple[Check, ...] = (
    of_settings.python,
    of_settings.address,
    of_settings.debug,
    of_settings.secrets,
    of_settings.mail,
    of_stores.postgresql,
    of_stores.migrations,
    of_stores.clock,
    of_stores.redis,
    of_host.journal,
    of_host.recorder,
    of_host.static_files,
    of_host.site,
    of_work.workers,
    of_work.beat,
    of_product.catalogue,
    of_product.credentials,
    of_product.stripe,
    system_checks,
)


def examine() -> Iterator[Finding]:
    """Every finding. A server that is away is told of once, and what needs it is unknown."""
    away: set[str] = set()
    for check in CHECKS:
        try:
            yield from check()
        except Error as error:
            yield without("PostgreSQL", "DATABASE_URL", error, away, check)
        except redis.RedisError as error:
            yield without("Redis", "REDIS_URL", error, away, check)
        except Exception as error:
            yield broken(f"{name_of(check)}: {error!r}", "This is a mistake of ours; report it.")


def without(server: str, setting: str, error: Exception, away: set[str], check: Check) -> Finding:
    if server in away:
        return Finding("unknown", f"{name_of(check)}: needs {server}.")
    away.add(server)
    said = " ".join(str(error).split())
    return broken(f"{server} cannot be asked: {said}", f"Start it, or correct {setting}.")


def name_of(check: Check) -> str:
    return check.__name__.replace("_", " ")
