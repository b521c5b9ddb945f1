"""The viewer's time zone: as their browser says it, or as they chose; see static/js/timezone.js."""

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest

COOKIE = "timezone"
UTC_ZONE = ZoneInfo("UTC")
ODD = ("posix/", "right/", "SystemV/", "Etc/")


@cache
def names() -> list[str]:
    """Every zone that can be chosen: places, and UTC."""
    places = {name for name in available_timezones() if "/" in name and not name.startswith(ODD)}
    return ["UTC", *sorted(places)]


def zone_named(name: str) -> ZoneInfo | None:
    """The zone of this name, if there is one; whatever else was sent is not looked up."""
    return ZoneInfo(name) if name == "UTC" or name in available() else None


@cache
def available() -> frozenset[str]:
    return frozenset(available_timezones()) - {"localtime", "Factory"}


def zone_of(request: HttpRequest) -> ZoneInfo:
    return zone_named(request.COOKIES.get(COOKIE, "")) or UTC_ZONE
