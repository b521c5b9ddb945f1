"""Numbers, durations and moments as pages write them. All moments are UTC."""

from datetime import UTC, datetime, tzinfo

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()
AGES = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
SIZES = ((10**9, "B"), (10**6, "M"))


@register.filter
def amount(number: float) -> str:
    """A count in as many digits as an eye takes in.

    >>> amount(1204), amount(4_100_000), amount(5_000_000)
    ('1,204', '4.10 M', '5 M')
    """
    for size, sign in SIZES:
        if number >= size:
            return f"{number / size:.{2 if number % size else 0}f} {sign}"
    return f"{number:,.0f}"


@register.filter
def exact(number: int) -> str:
    return f"{number:,}"


@register.filter
def duration(milliseconds: float | None) -> str:
    """A duration in the unit that suits it; a dash where there is none.

    >>> duration(240), duration(1900), duration(21_976_000), duration(None)
    ('240 ms', '1.9 s', '6 h 6 min', '–')
    """
    if milliseconds is None:
        return "–"
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


@register.filter
def rate(per_second: float | None) -> str:
    """Tokens per second; a dash where there are none.

    >>> rate(6.25), rate(84.2), rate(None)
    ('6.2/s', '84/s', '–')
    """
    if per_second is None:
        return "–"
    return f"{per_second:.1f}/s" if per_second < 10 else f"{per_second:,.0f}/s"


@register.filter
def percent(part: float, whole: float = 1) -> str:
    """How much of ``whole`` it is; small parts keep two digits, and only nothing is 0 %.

    >>> percent(1, 1000), percent(62, 100), percent(0, 0)
    ('0.10 %', '62 %', '0 %')
    """
    share = 100 * part / whole if whole else 0.0
    if not share:
        return "0 %"
    return f"{share:.2f} %" if share < 1 else f"{share:.1f} %" if share < 10 else f"{share:.0f} %"


@register.filter
def clock(seconds: int) -> str:
    """The time of day of a moment in Unix seconds.

    >>> clock(1_764_500_000)
    '10:53:20 UTC'
    """
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M:%S} UTC"


@register.filter
def instant(moment: datetime) -> str:
    """A moment to the millisecond."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03} UTC"


@register.filter
def about(moment: datetime, zone: tzinfo) -> str:
    """Roughly when something will be, by the viewer's clock: a time today, or a later day."""
    local = moment.astimezone(zone)
    if local.date() == timezone.now().astimezone(zone).date():
        return f"at {local:%H:%M %Z}"
    return f"on {local:%-d %B}"


@register.filter
def by_clock(moment: datetime | None, zone: tzinfo) -> str:
    """A moment by the viewer's clock, to the minute; without one it is the present.

    >>> by_clock(datetime(2026, 11, 26, 5, 4, tzinfo=UTC), UTC), by_clock(None, UTC)
    ('26 Nov, 05:04', 'now')
    """
    return f"{moment.astimezone(zone):%-d %b, %H:%M}" if moment else "now"


@register.filter
def at(moment: datetime, zone: tzinfo) -> SafeString:
    """The time of day to the millisecond by the viewer's clock, with the day unless it is today.

    The title says how long ago that was; ``static/js/ago.js`` keeps it true.
    """
    local, now = moment.astimezone(zone), timezone.now()
    today = local.date() == now.astimezone(zone).date()
    clock = f"{local:%H:%M:%S}.{local.microsecond // 1000:03}"
    return format_html(
        '<time datetime="{}" title="{}" data-ago-title>{}</time>',
        moment.astimezone(UTC).isoformat(timespec="milliseconds"),
        age(moment, now),
        clock if today else f"{local:%-d %b} {clock}",
    )


def age(moment: datetime, now: datetime) -> str:
    seconds = max(0, int((now - moment).total_seconds()))
    for size, unit in AGES:
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return "now"


@register.simple_tag
def ago(moment: datetime) -> SafeString:
    """How long ago it was; ``static/js/ago.js`` keeps it true. The title has the exact moment."""
    moment = moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC" data-ago>{}</time>',
        moment.isoformat(timespec="milliseconds"),
        moment.strftime("%Y-%m-%d %H:%M:%S"),
        age(moment, timezone.now()),
    )
