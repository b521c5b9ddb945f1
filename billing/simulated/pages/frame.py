"""The frame of the pages that a person sees, and what they have in common."""

import base64
import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from billing.simulated.exchange import Answer
from billing.simulated.objects.catalog import months
from billing.simulated.store import Doc

NOTICE = "Simulated billing: no card is charged"
CARDS = (
    ("4242 4242 4242 4242", "is accepted"),
    ("4000 0000 0000 0341", "is accepted, and declines every charge"),
    ("4000 0000 0000 0002", "is declined at once"),
    ("4000 0000 0000 9995", "has insufficient funds"),
    ("4000 0027 6000 3184", "asks its owner before every charge"),
)
STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 2rem auto; padding: 0 1rem; }
.notice { background: #fde68a; color: #451a03; padding: .5rem 1rem; border-radius: .5rem; }
.error { background: #fecaca; color: #7f1d1d; padding: .5rem 1rem; border-radius: .5rem; }
a { color: inherit; }
section { border-top: 1px solid #8888; margin-top: 1.5rem; }
form { margin: .75rem 0; }
.acts { display: flex; flex-wrap: wrap; gap: .5rem; }
.acts form { margin: 0; }
table { width: 100%; border-collapse: collapse; font-size: .875rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .5rem .25rem 0; }
td { overflow-wrap: anywhere; }
label { display: block; margin: .75rem 0; }
input, select, button { font: inherit; padding: .4rem .6rem; }
input { display: block; width: 100%; box-sizing: border-box; }
"""
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; frame-ancestors 'none'"
FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title} · simulated billing</title>
<style>{style}</style>
</head>
<body>
<header class="notice">{notice}</header>
<main>
<h1>{title}</h1>
{error}
{content}
</main>
</body>
</html>
"""


def page(title: str, *content: SafeString, error: str = "", status: int = 200) -> Answer:
    said = format_html('<p class="error" role="alert">{}</p>', error) if error else ""
    html = format_html(
        FRAME,
        title=title,
        style=mark_safe(STYLE),  # noqa: S308  # ours, and constant
        notice=NOTICE,
        error=said,
        content=joined(content),
    )
    headers = {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": POLICY,
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
    }
    return Answer(422 if error else status, html.encode(), headers)


def redirect(url: str) -> Answer:
    return Answer(303, b"", {"location": url})


def gone() -> Answer:
    return page("Nothing here", format_html("<p>This address leads nowhere.</p>"), status=404)


def joined(parts: Iterable[SafeString]) -> SafeString:
    return format_html_join("\n", "{}", ((part,) for part in parts))


def button(action: str, label: str, *fields: SafeString) -> SafeString:
    """A form of its own; ``action`` is what it does."""
    return format_html(
        '<form method="post">{}<button name="action" value="{}">{}</button></form>',
        *(joined(fields), action, label),
    )


def hidden(name: str, value: object) -> SafeString:
    return format_html('<input type="hidden" name="{}" value="{}">', name, value)


def field(label: str, name: str, value: object = "", **more: str) -> SafeString:
    attributes = format_html_join("", ' {}="{}"', more.items())
    return format_html(
        '<label>{} <input name="{}" value="{}"{}></label>', label, name, value or "", attributes
    )


def card_field() -> SafeString:
    known = format_html_join("", "<li><code>{}</code> {}</li>", CARDS)
    number = field("Card number", "number", CARDS[0][0], inputmode="numeric", autocomplete="off")
    return format_html("{}<ul>{}</ul>", number, known)


def link(url: str, label: str) -> SafeString:
    return format_html('<p><a href="{}">{}</a></p>', url, label) if url else SafeString("")


def money(amount: int, currency: str) -> str:
    sign = "−" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100:,}.{abs(amount) % 100:02} {currency.upper()}"


def day(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%-d %B %Y")


def minute(moment: int) -> str:
    return f"{day(moment)}, {datetime.fromtimestamp(moment, UTC):%H:%M} UTC"


def terms(price: Doc) -> str:
    length = months(price)
    every = "month" if length == 1 else f"{length} months"
    return f"{money(price['unit_amount'], price['currency'])} every {every}"
