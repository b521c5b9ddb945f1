"""The table of reliability.md, 3.6: how providers misbehave, and what a client must see."""

from dataclasses import dataclass

from tests.provider import PIECE
from tests.upstream.expectations import (
    NONSENSE,
    TROUBLE,
    Broken,
    Either,
    Expectation,
    Refused,
    Served,
)
from tests.upstream.rig import LONG, SHORT, Dish

Form = tuple[str, bool]  # kind, streamed
WHOLE: list[Form] = [("chat", False), ("completions", False), ("embeddings", False)]
STREAM: list[Form] = [("chat", True), ("completions", True)]
CHAT: list[Form] = [("chat", False), ("chat", True)]
TEXT: list[Form] = [*CHAT, ("completions", False), ("completions", True)]
ALL: list[Form] = [*WHOLE, *STREAM]
ONE: list[Form] = [("chat", False)]


@dataclass(frozen=True)
class Case:
    """Row ``number`` of the table, one behaviour in one form of request."""

    number: int
    dish: Dish
    streamed: bool
    sees: Expectation
    once: bool = False
    times: int = 1
    within: float | None = None  # seconds; else the total deadline

    @property
    def name(self) -> str:
        form = "stream" if self.streamed else "whole"
        spare = "-spare" * self.dish.spare
        return f"{self.number}-{self.dish.behaviour}-{self.dish.kind}-{form}{spare}"


def cases(
    number: int,
    behaviour: str,
    forms: list[Form],
    sees: Expectation,
    *,
    short: bool = False,
    once: bool = False,
    url: str = "",
    times: int = 1,
) -> list[Case]:
    deadlines = SHORT if short else LONG
    return [
        Case(number, Dish(behaviour, kind, deadlines, url), streamed, sees, once, times)
        for kind, streamed in forms
    ]


def with_spare(number: int, behaviour: str, *, short: bool = False) -> list[Case]:
    """The same in a chat that has another provider, whose answer the client must get."""
    return [
        Case(
            number,
            Dish(behaviour, "chat", SHORT if short else LONG, spare=True),
            streamed,
            Served(by_spare=True),
        )
        for _, streamed in CHAT
    ]


def said(*texts: str) -> Either:
    """One of these, in an answer whose tokens nobody can know."""
    return Either(tuple(Served({0: text}, exact=False) for text in texts))


PATIENT = SHORT | {"total": 15}  # so that only what is idle for long is given up
UNREACHABLE = "http://127.0.0.1:1/v1"  # nobody listens on port 1
NONSENSE_SEEN = Refused(NONSENSE)
ESTIMATED = Served(sources=("estimated",))
EMBEDDED = Served(sources=("estimated", "provider"))  # whose counts were not all absurd

SILENCE = [
    *cases(1, "normal", ALL, Refused(), url=UNREACHABLE),
    *cases(1, "normal", ONE, Refused(), url="http://nowhere.invalid/v1", short=True),
    *cases(1, "normal", ONE, Refused(), url="https://127.0.0.1:{port}/v1", short=True),
    *cases(2, "hang-headers", ALL, Refused(), short=True),
    *cases(3, "hang-after-headers", WHOLE, Refused(), short=True),
    *cases(3, "hang-after-headers", STREAM, TROUBLE, short=True),
    *cases(4, "hang-after:0", CHAT[1:], TROUBLE, short=True),
    *cases(4, "hang-after:1", STREAM, Broken(1), short=True, once=True),
    *cases(4, "hang-after:50", STREAM, Broken(50), short=True, once=True),
    *cases(4, "hang-after:1", WHOLE, Refused(), short=True),
    *cases(5, "close-at-once", ALL, Refused()),
    *cases(5, "reset-at-once", ALL, Refused()),
    *cases(5, "close-after:3", STREAM, Broken(3), once=True),
    *cases(5, "reset-after:3", STREAM, Broken(3), once=True),
    *cases(5, "close-after:3", WHOLE, Refused()),
    *cases(5, "reset-after:3", WHOLE, Refused()),
    *cases(6, "no-done", STREAM, Served()),
    *cases(7, "no-finish", STREAM, Broken(5), once=True),
    *[
        Case(17, Dish("drip", kind, PATIENT), streamed, Broken(2), once=True, within=8)
        for kind, streamed in STREAM
    ],
    *cases(17, "drip", WHOLE, Refused(), short=True),
    *cases(25, "stale", ALL, Served(), times=4),
]

USAGE = [
    *cases(8, "no-usage", ALL, ESTIMATED),
    *[
        case
        for absurd in ("null", "negative", "float", "huge", "list")
        for case in cases(9, f"usage:{absurd}", TEXT, ESTIMATED)
    ],
    *cases(9, "usage:string", TEXT, EMBEDDED),
    *cases(9, "usage:above-max", CHAT, ESTIMATED),
    *cases(9, "usage:above-context", CHAT, ESTIMATED),
    *cases(9, "usage:negative", WHOLE[2:], ESTIMATED),
    *cases(9, "usage:huge", WHOLE[2:], ESTIMATED),
    *cases(9, "usage-twice", STREAM, Served()),
    *cases(9, "usage-first", STREAM, Served()),
]

CONTENT = [
    *cases(10, "error-in-200:502", ALL, NONSENSE_SEEN),
    *cases(10, "error-in-200:401", CHAT, NONSENSE_SEEN),
    *cases(10, "error-in-200:429", CHAT, Refused((429,), code="upstream_rate_limited")),
    *cases(10, "error-in-200:400", CHAT, Refused((400,))),
    *cases(10, "error-in-200:string", CHAT, NONSENSE_SEEN),
    *cases(10, "error-later", STREAM, Broken(2), once=True),
    *[
        case
        for odd in ("truncated", "empty", "null", "list", "string", "no-choices", "empty-choices")
        for case in cases(11, f"odd-body:{odd}", WHOLE, NONSENSE_SEEN)
    ],
    *[
        case
        for odd in ("truncated", "empty", "null", "list", "number")
        for case in cases(11, f"odd-body:{odd}", CHAT[1:], TROUBLE)
    ],
    *cases(11, "odd-event-later", STREAM, Broken(2), once=True),
    *cases(12, "html", ALL, NONSENSE_SEEN),
    *cases(12, "other-form", TEXT, Either((NONSENSE_SEEN, Served()))),
    *cases(12, "other-form", WHOLE[2:], NONSENSE_SEEN),
    *cases(12, "other-label", ALL, Served()),
    *cases(13, "giant-line", STREAM, NONSENSE_SEEN, once=True),
    *cases(13, "giant-line:3", STREAM, Broken(3), once=True),
    *cases(13, "giant-body:33", ONE, NONSENSE_SEEN, once=True),
    *cases(14, "text:invalid-utf8", TEXT, Served({0: "f\ufffdur\ufffd(four\ufffd"}, exact=False)),
    *cases(14, "text:surrogate", TEXT, said("four\ud83d four", "four\ufffd four")),
    *cases(14, "text:raw-surrogate", TEXT, said("four\ufffdfour", "four\ufffd\ufffd\ufffdfour")),
    *cases(14, "text:nul", TEXT, Served({0: "four\0four"}, exact=False)),
    *cases(14, "byte-order-mark", ALL, Served()),
    *cases(15, "one-byte-chunks", ALL, Served()),
    *[
        case
        for way in ("crlf", "cr", "mixed", "comments", "fields", "two-lines", "no-space")
        for case in cases(16, f"dialect:{way}", STREAM, Served())
    ],
    *cases(16, "dialect:empty-data", STREAM, Served()),
    *cases(27, "several-choices", TEXT, Served(dict.fromkeys(range(3), PIECE * 2), tokens=6)),
    *cases(27, "huge-logprobs", TEXT, Served()),
    *cases(28, "other-names", ALL, Served()),
]

HTTP = [
    *cases(18, "limited:seconds", ALL, Refused((429,), "upstream_rate_limited", (7, 8))),
    *cases(18, "limited:date", ONE, Refused((429,), "upstream_rate_limited", (15, 21))),
    *cases(18, "limited:ms", ONE, Refused((429,), "upstream_rate_limited", (1, 3))),
    *[
        case
        for way in ("none", "absurd", "negative", "words")
        for case in cases(18, f"limited:{way}", ONE, Refused((429,), "upstream_rate_limited"))
    ],
    *cases(19, "status:400", ALL, Refused((400,), says="The field 'x' is wrong"), once=True),
    *[
        case
        for status in (404, 413, 422)
        for case in cases(19, f"status:{status}", CHAT, Refused((400,)), once=True)
    ],
    *[
        case
        for shape in ("detail", "array", "flat", "text")
        for case in cases(19, f"status:400-{shape}", ONE, Refused((400,), says="'x' is wrong"))
    ],
    *[
        case
        for shape in ("nul", "surrogate", "empty")
        for case in cases(19, f"status:400-{shape}", ONE, Refused((400,)))
    ],
    *cases(19, "status:401", ALL, Refused()),
    *cases(19, "status:402", ONE, Refused()),
    *cases(19, "status:403", CHAT, Refused()),
    *cases(20, "status:503", ALL, Refused()),
    *[
        case
        for status in (500, 502, 504, 529)
        for case in cases(20, f"status:{status}", CHAT, Refused())
    ],
    *[
        case
        for status in (301, 302, 307, 308)
        for case in cases(21, f"redirect:{status}", CHAT, NONSENSE_SEEN, once=True)
    ],
    *cases(21, "redirect:307", WHOLE[2:], NONSENSE_SEEN, once=True),
    *cases(22, "encoded:gzip", ALL, Either((NONSENSE_SEEN, Served()))),
    *cases(22, "encoded:deflate", CHAT, Either((NONSENSE_SEEN, Served()))),
    *[
        case
        for name in ("gzip", "br", "zstd")
        for case in cases(22, f"encoded:{name}-lie", CHAT, Either((TROUBLE, Served())))
    ],
    *cases(22, "gzip-bomb", CHAT, NONSENSE_SEEN),
    *[
        case
        for how in ("two-lengths", "bad-length", "both", "chunk-size", "huge-chunk", "nul")
        for case in cases(23, f"bad-framing:{how}", CHAT, NONSENSE_SEEN)
    ],
    *[
        case
        for how in ("too-small", "too-large", "bare-lf", "no-colon", "huge-header")
        for case in cases(23, f"bad-framing:{how}", ONE, NONSENSE_SEEN)
    ],
    *cases(23, "garbage", WHOLE, NONSENSE_SEEN),
    *cases(24, "normal", WHOLE, Served(), url="http://127.0.0.1:{port}/early/v1", times=2),
    *cases(24, "informed:100", ALL, Served()),
    *cases(24, "informed:103", CHAT, Served()),
]

FAILOVER = [
    *with_spare(2, "hang-headers", short=True),
    *with_spare(3, "hang-after-headers", short=True),
    *with_spare(5, "close-at-once"),
    *with_spare(10, "error-in-200:502"),
    *with_spare(11, "odd-body:truncated"),
    *with_spare(12, "html"),
    *with_spare(18, "limited:seconds"),
    *with_spare(19, "status:401"),
    *with_spare(20, "status:503"),
    *with_spare(23, "bad-framing:chunk-size"),
]

CASES = [*SILENCE, *USAGE, *CONTENT, *HTTP, *FAILOVER]
