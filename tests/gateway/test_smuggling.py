"""One request, one answer: whatever a head or a chunk says, nobody gets a second request through.

``INSIDE`` is what an attacker would hide in a body. It has an answer of its own, a 200, that must
never be seen, save where a request says without doubt that it has no body.
"""

from tests.gateway.site import Site
from tests.gateway.wire import exchange, exchanges
from tests.people import make_key

INSIDE = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
CL, TE = b"Content-Length: ", b"Transfer-Encoding: "
CHUNKED = TE + b"chunked\r\n"
SIZE = CL + b"%d\r\n" % len(INSIDE)
AS_CHUNK = b"%x\r\n%b\r\n0\r\n\r\n" % (len(INSIDE), INSIDE)
EMPTY = b"0\r\n\r\n"


def head(*lines: bytes) -> bytes:
    return b"".join(lines) + b"\r\n"


def chunk(size: bytes, rest: bytes = b"\r\n{}\r\n") -> bytes:
    return head(CHUNKED) + size + rest + EMPTY + INSIDE


PLAIN = {  # nothing wrong, or nothing that could be read in two ways: our own 400 for the body
    "content-length": head(SIZE) + INSIDE,
    "chunked": head(CHUNKED) + AS_CHUNK,
    "the same length twice": head(SIZE, SIZE) + INSIDE,
    "leading zeros": head(CL + b"000", b"%d\r\n" % len(INSIDE)) + INSIDE,
    "chunked in capitals": head(TE + b"CHUNKED\r\n") + AS_CHUNK,
    "chunked after a tab": head(b"Transfer-Encoding:\tchunked\r\n") + AS_CHUNK,
    "chunked twice": head(CHUNKED, CHUNKED) + AS_CHUNK,
    "gzip, chunked": head(TE + b"gzip, chunked\r\n") + AS_CHUNK,
    "bare line feeds": b"Content-Length: %d\n\n" % len(INSIDE) + INSIDE,
    "an extension": head(CHUNKED) + AS_CHUNK.replace(b"\r\n", b";a=b\r\n", 1),
    "a quoted extension": head(CHUNKED) + AS_CHUNK.replace(b"\r\n", b';a="b;c"\r\n', 1),
    "a space after the size": head(CHUNKED) + AS_CHUNK.replace(b"\r\n", b" \r\n", 1),
    "zeros before the size": head(CHUNKED) + b"0000" + AS_CHUNK,
    "a trailer": head(CHUNKED) + AS_CHUNK[:-2] + b"X: y\r\n\r\n",
    "a trailer with a length": head(CHUNKED) + AS_CHUNK[:-2] + CL + b"9\r\n\r\n",
    "expect": head(SIZE, b"Expect: the unexpected\r\n") + INSIDE,
    "upgrade": head(SIZE, b"Connection: upgrade\r\nUpgrade: h2c\r\n") + INSIDE,
    "connection names the length": head(SIZE, b"Connection: close, content-length\r\n") + INSIDE,
    "method in a header": head(SIZE, b"X-HTTP-Method-Override: GET\r\n") + INSIDE,
    "two hosts": head(SIZE, b"Host: b\r\n") + INSIDE,
}
DOUBTFUL = {  # one answer, then the line is closed, whatever follows
    "length, then chunked": head(CL + b"5\r\n", CHUNKED) + EMPTY + INSIDE,
    "chunked, then length": head(CHUNKED, CL + b"5\r\n") + EMPTY + INSIDE,
    "chunked and a length of all": head(CHUNKED, SIZE) + EMPTY + INSIDE,
    "two lengths": head(SIZE, CL + b"0\r\n") + INSIDE,
    "two lengths, the other way": head(CL + b"0\r\n", SIZE) + INSIDE,
    "a list of lengths": head(CL + b"0, 0\r\n") + INSIDE,
    "plus": head(CL + b"+0\r\n") + INSIDE,
    "minus": head(CL + b"-1\r\n") + INSIDE,
    "hexadecimal": head(CL + b"0x0\r\n") + INSIDE,
    "no length": head(CL + b"\r\n") + INSIDE,
    "a length with words": head(CL + b"0 bytes\r\n") + INSIDE,
    "a length beyond 64 bits": head(CL + b"18446744073709551616\r\n") + INSIDE,
    "a length of 64 bits": head(CL + b"18446744073709551615\r\n") + INSIDE,
    "a fraction": head(CL + b"0.0\r\n") + INSIDE,
    "an exponent": head(CL + b"0e0\r\n") + INSIDE,
    "xchunked": head(TE + b"xchunked\r\n") + EMPTY + INSIDE,
    "identity": head(TE + b"identity\r\n", CL + b"0\r\n") + INSIDE,
    "chunked, identity": head(TE + b"chunked, identity\r\n") + EMPTY + INSIDE,
    "chunked in quotes": head(TE + b'"chunked"\r\n') + EMPTY + INSIDE,
    "chunked after VT": head(TE + b"\x0bchunked\r\n") + EMPTY + INSIDE,
    "chunked and a NUL": head(TE + b"chunked\x00\r\n") + EMPTY + INSIDE,
    "chunked; q=1": head(TE + b"chunked; q=1\r\n") + EMPTY + INSIDE,
    "no coding": head(TE + b"\r\n") + EMPTY + INSIDE,
    "chunked, then another": head(CHUNKED, TE + b"x\r\n") + EMPTY + INSIDE,
    "a space before the colon": head(b"Transfer-Encoding : chunked\r\n") + EMPTY + INSIDE,
    "a space before the colon of a length": head(b"Content-Length : 0\r\n") + INSIDE,
    "a tab before the colon": head(b"Transfer-Encoding\t: chunked\r\n") + EMPTY + INSIDE,
    "a folded header": head(b"X: a\r\n b\r\n", CL + b"0\r\n") + INSIDE,
    "a folded coding": head(b"Transfer-Encoding:\r\n chunked\r\n") + EMPTY + INSIDE,
    "a folded length": head(b"Content-Length:\r\n 0\r\n") + INSIDE,
    "a folded first line": b" X: y\r\n" + head(CL + b"0\r\n") + INSIDE,
    "a bare carriage return": head(b"X: a\rContent-Length: 0\r\n") + INSIDE,
    "a NUL in a value": head(b"X: a\x00b\r\n", CL + b"0\r\n") + INSIDE,
    "a NUL in a name": head(b"X\x00: a\r\n", CL + b"0\r\n") + INSIDE,
    "a name with a space": head(b"X Y: a\r\n", CL + b"0\r\n") + INSIDE,
    "no name": head(b": a\r\n", CL + b"0\r\n") + INSIDE,
    "no colon": head(b"garbage\r\n", CL + b"0\r\n") + INSIDE,
    "an umlaut in a name": head("Ü: a\r\n".encode(), CL + b"0\r\n") + INSIDE,
    "a negative size": chunk(b"-2"),
    "0x": chunk(b"0x2"),
    "a plus": chunk(b"+2"),
    "no size": chunk(b""),
    "a size in letters": chunk(b"zz"),
    "a size beyond 64 bits": chunk(b"10000000000000002"),
    "a space before the size": chunk(b" 2"),
    "a line feed after the size": chunk(b"2", b"\n{}\r\n"),
    "a line feed after the chunk": chunk(b"2", b"\r\n{}\n"),
    "a line feed in an extension": chunk(b"2;a\n", b"\r\n{}\r\n"),
    "a carriage return in an extension": chunk(b"2;a\rb"),
    "too little": chunk(b"1"),
    "too much": chunk(b"2", b"\r\n{}XX\r\n"),
    "an extension of 20 KB": chunk(b"2;" + b"a" * 20_000),
    "5,000 trailers": head(CHUNKED) + b"2\r\n{}\r\n0\r\n" + b"X: y\r\n" * 5000 + b"\r\n" + INSIDE,
}
FIRST_LINES = {  # no such request
    "HTTP/1.0 and chunked": b"POST %b HTTP/1.0\r\nHost: a\r\n" + CHUNKED + b"\r\n" + EMPTY + INSIDE,
    "HTTP/0.9": b"POST %b\r\n\r\n" + INSIDE,
    "HTTP/1.2": b"POST %b HTTP/1.2\r\nHost: a\r\n\r\n" + INSIDE,
    "HTTP/2.0": b"POST %b HTTP/2.0\r\nHost: a\r\n\r\n" + INSIDE,
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + INSIDE,
    "a space in front": b" POST %b HTTP/1.1\r\nHost: a\r\n\r\n" + INSIDE,
    "two spaces": b"POST  %b HTTP/1.1\r\nHost: a\r\n\r\n" + INSIDE,
    "tabs": b"POST\t%b\tHTTP/1.1\r\nHost: a\r\n\r\n" + INSIDE,
    "a space in the address": b"POST %b a HTTP/1.1\r\nHost: a\r\n\r\n" + INSIDE,
    "a NUL in the address": b"POST %b\x00 HTTP/1.1\r\nHost: a\r\n\r\n" + INSIDE,
    "a bracket in the method": b"P(ST %b HTTP/1.1\r\nHost: a\r\n\r\n" + INSIDE,
}
CHAT = b"/v1/chat/completions"


def ask(rest: bytes) -> bytes:
    key = make_key().plaintext.encode()
    return b"POST %b HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %b\r\n" % (CHAT, key) + rest


def test_what_is_hidden_in_a_body_is_a_body(site: Site) -> None:
    answers = exchanges(site.port, {name: ask(rest) for name, rest in PLAIN.items()})

    for name, done in answers.items():
        assert done.statuses == [400], name
        assert done.error["code"] == "invalid_json", name


def test_a_doubtful_request_is_refused_and_nothing_after_it_is_read(site: Site) -> None:
    answers = exchanges(site.port, {name: ask(rest) for name, rest in DOUBTFUL.items()})

    for name, done in answers.items():
        assert done.statuses in ([400], [413], [431]), (name, done.received)
        assert done.closed, name


def test_what_is_no_request_is_refused_and_nothing_after_it_is_read(site: Site) -> None:
    lines = {name: line.replace(b"%b", CHAT) for name, line in FIRST_LINES.items()}

    for name, done in exchanges(site.port, lines).items():
        assert done.statuses in ([400], []), (name, done.received)
        assert done.closed, name


def test_underscores_are_no_hyphens(site: Site) -> None:
    lines = [b"Content_Length: 5\r\n", b"Transfer_Encoding: chunked\r\n", b"x_api_key: a\r\n"]

    done = exchange(site.port, [ask(head(*lines)) + INSIDE])

    assert done.statuses == [400, 200]


def test_a_tunnel_is_not_dug(site: Site) -> None:
    done = exchange(site.port, [b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n"])

    assert done.statuses in ([404], [])


def test_only_a_hop_that_is_trusted_may_say_where_a_request_came_from(site: Site) -> None:
    lines = [b"X-Forwarded-Host: evil.example\r\n", b"X_Forwarded_Proto: https\r\n"]
    lines += [b"X-Forwarded-Proto: https\r\n", b"X-Forwarded-For: 10.0.0.1\r\n"]

    done = exchange(site.port, [b"GET /overview HTTP/1.1\r\nHost: localhost\r\n" + head(*lines)])

    assert done.statuses == [302]
    assert b"evil.example" not in done.received
    assert b"\r\nlocation: /login/" in done.received.lower()
    assert b"; secure" not in done.received.lower()
