"""What is captured of a conversation must not become a second place for secrets.

Credentials of known shapes, e-mail addresses, card numbers and tokens are replaced wherever they
stand, fields by their name, and pictures and other binary data are cut. What merely looks like
one of them goes as well: a captured text is there to debug with, not to be complete. No pattern
may take more than linear time, for its thread holds up the event loop as long as it searches.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import msgspec
from django.conf import settings

FIELDS = frozenset(
    {
        *("password", "passwd", "passphrase", "pwd", "secret", "clientsecret", "authorization"),
        *("apikey", "xapikey", "privatekey", "secretkey", "accesskey", "cookie", "setcookie"),
        *("accesstoken", "refreshtoken", "idtoken", "authtoken", "sessiontoken", "bearertoken"),
        *("cardnumber", "cvc", "cvv", "iban", "ssn"),
    }
)
GONE = "[redacted]"
DEEPEST = 64  # of nested JSON; below, all goes
_PREFIXES = "|".join(map(re.escape, settings.PRODUCT.prefixes))
SHAPES = re.compile(
    rf"""
    \b(?:{_PREFIXES})[0-9A-Za-z]{{8,}}             # ours, also one that was cut off
    | \b(?:sk|rk|pk)[-_](?:[a-z]+[-_])*[0-9A-Za-z_-]{{16,}}   # OpenAI, Anthropic, Stripe
    | \b(?:gh[opusr]|github_pat|glpat|gsk|hf|npm|xox[abprs])[-_][0-9A-Za-z_-]{{10,}}
    | \bwhsec_[0-9A-Za-z+/_-]{{10,}}={{0,2}}      # of webhooks: base64, with all its signs
    | \bA(?:KIA|SIA)[0-9A-Z]{{16}}\b | \bAIza[0-9A-Za-z_-]{{30,}}
    | \beyJ[0-9A-Za-z_-]{{5,500}}\.[0-9A-Za-z_-]{{5,}}(?:\.[0-9A-Za-z_-]*)?  # JSON web tokens
    | (?i:\b(?:bearer|basic)\s+)[0-9A-Za-z._~+/=-]{{6,}}
    | -----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----.*?(?:-----END[ ][A-Z ]*-----|\Z)
    | [0-9A-Za-z._%+-]{{1,64}}@(?:[0-9A-Za-z-]{{1,63}}\.){{1,8}}[A-Za-z]{{2,24}}
    """,
    re.VERBOSE | re.DOTALL,
)
CARD = re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.]?\d)")
BINARY = re.compile(
    r"data:[\w.+/-]*(?:;[\w=.+-]+)*;base64,[\w+/=-]*|(?<![0-9A-Za-z+/_-])[0-9A-Za-z+/_-]{512,}={0,2}"
)
PAIR = re.compile(  # in JSON that is cut off, or that stands within a string
    r"""
    (\\{0,8}["'])([\w\ .-]{2,40})(\1\s{0,9}:\s{0,9})
    (?: \\{0,8}["'](?:[^"'\\]|\\[^"'])*\\?["']? | [^\s,}\]]+ )
    """,
    re.VERBOSE,
)


class Redaction:
    """Replaces secrets; ``fields`` are names of JSON members that go beside the usual ones."""

    def __init__(self, fields: Collection[str] = ()) -> None:
        self._fields = FIELDS | {plain(name) for name in fields}

    def of_json(self, body: bytes) -> str:
        """A document as text, the order of its members kept; what is no JSON is taken as text."""
        try:
            document = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self.of_text(body.decode(errors="replace"))
        return msgspec.json.encode(self.of(document)).decode()

    def of(self, value: Any, depth: int = 0) -> Any:
        """A decoded document without its secrets."""
        if depth > DEEPEST:
            return GONE
        if isinstance(value, str):
            return self.of_text(value)
        if isinstance(value, list):
            return [self.of(item, depth + 1) for item in value]
        if isinstance(value, dict):
            return {
                self.of_text(name): GONE if self.is_secret(name) else self.of(member, depth + 1)
                for name, member in value.items()
            }
        if isinstance(value, int) and is_card(str(value)):
            return GONE
        return value

    def of_text(self, text: str) -> str:
        text = BINARY.sub(cut, text)
        text = PAIR.sub(self._pair, text)
        text = SHAPES.sub(GONE, text)
        return CARD.sub(lambda found: GONE if is_card(found[0]) else found[0], text)

    def is_secret(self, name: str) -> bool:
        return plain(name) in self._fields

    def _pair(self, found: re.Match[str]) -> str:
        quote, name, colon = found.groups()
        if not self.is_secret(name):
            return found[0]
        return f"{quote}{name}{colon}{quote}{GONE}{quote}"


def plain(name: str) -> str:
    """A name as it is compared: ``Client-Secret`` and ``client_secret`` are the same."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def cut(found: re.Match[str]) -> str:
    """What kind of data it was and how long, where it said so."""
    kind, comma, _ = found[0].partition(",")
    return f"[{kind if comma else 'data'}: {len(found[0]):,} characters cut]"


def is_card(text: str) -> bool:
    """Whether the digits in ``text`` are a card number by their length and check digit.

    >>> is_card("4111 1111 1111 1111"), is_card("4111 1111 1111 1112")
    (True, False)
    """
    digits = [int(sign) for sign in text if sign.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return 13 <= len(digits) <= 19 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
