"""JSON texts of every kind that parsers quarrel about, generated from RFC 8259.

``ACCEPTED`` must be taken for JSON, ``REFUSED`` must not, ``FREE`` may be either, where the RFC
lets an implementation set limits. All are values; none is a whole request by itself.
"""

DEEP, WIDE = 100_000, 1_000_000


def named(*texts: bytes) -> dict[str, bytes]:
    return {repr(text[:40]): text for text in texts}


def string(inside: bytes) -> bytes:
    return b'"%b"' % inside


ACCEPTED = {
    **named(b"null", b"true", b"false", b"[]", b"{}", b'""', b"[[]]", b'{"":{}}', b"[null,null]"),
    **named(b"0", b"-0", b"1", b"-1", b"10", b"0.5", b"-0.5", b"0e0", b"1e1", b"1E+1", b"1e-1"),
    **named(b"1.5e3", b"0.1e-7", b"123.456e+3", b"9007199254740993", b"-9223372036854775808"),
    **named(b"18446744073709551615", b"0.00000000000000000000000000001", b"1.0", b"-0.0", b"-0e+1"),
    **named(b" 1 ", b"\t1\n", b"\r\n[ 1 ,\n2\t]\r", b'{ "a" : 1 , "b" : 2 }', b"[ ]", b"{ }"),
    **named(b'{"a":1,"a":2}', b'{"a":1,"a":1}', b'{"a":{},"a":[]}', b'{"":0}', b'{"\\u0000":1}'),
    **named(
        b'{"a\\u0062":1}', b'{"__proto__":{"x":1}}', b'{"constructor":null}', b'{"a":{"a":{}}}'
    ),
    **{
        f"escape {e}": string(b"\\" + e.encode()) for e in ["b", "f", "n", "r", "t", '"', "\\", "/"]
    },
    **{
        f"escaped U+{point:04X}": string(b"\\u%04x" % point)
        for point in [
            0,
            1,
            0x1F,
            0x22,
            0x5C,
            0x7F,
            0x80,
            0xFF,
            0x2028,
            0xFEFF,
            0xFFFD,
            0xFFFE,
            0xFFFF,
        ]
    },
    **{
        f"written U+{point:04X}": string(chr(point).encode())
        for point in [
            0x20,
            0x7F,
            0x80,
            0xE9,
            0x2028,
            0x2029,
            0xFEFF,
            0xFFFD,
            0xFFFF,
            0x1F600,
            0x10FFFF,
        ]
    },
    "a pair": string(b"\\ud83d\\ude00"),
    "a pair in capitals": string(b"\\uD83D\\uDE00"),
    "an escaped backslash before u": string(b"\\\\u12"),
    "a combining mark": string("e\u0301".encode()),
    "a right-to-left override": string("\u202etxt".encode()),
    "100 KB of text": string(b"a" * 100_000),
    "100 KB of escapes": string(b"\\n" * 50_000),
    "100 deep": b"[" * 100 + b"]" * 100,
    "10,000 numbers": b"[" + b",".join([b"1"] * 10_000) + b"]",
    "a key of 10 KB": b'{"' + b"k" * 10_000 + b'":1}',
}
SURROGATES = {  # legal by the grammar, though no text; many parsers stumble over them
    "high alone": string(b"\\ud83d"),
    "low alone": string(b"\\ude00"),
    "high, then a letter": string(b"\\ud83dA"),
    "high, then an escape": string(b"\\ud83d\\n"),
    "high twice": string(b"\\ud83d\\ud83d"),
    "the wrong way round": string(b"\\ude00\\ud83d"),
    "high in a key": b'{"\\udada":1}',
}
REFUSED = {
    **named(b"nul", b"True", b"NULL", b"undefined", b"NaN", b"Infinity", b"-Infinity", b"[NaN]"),
    **named(
        b"+1", b"01", b"-01", b"00", b"1.", b".5", b"-.5", b"-", b"--1", b"1e", b"1e+", b"1.e1"
    ),
    **named(b"0x10", b"0o7", b"0b1", b"1_000", b"1,000", b"1 000", b"1eE2", b"0e", b"1.2.3", b"1f"),
    **named(b"- 1", b"Inf", b"nan", b"1L", b"[-]", b"[1.]", b"[.1]", b"1/2", "１".encode()),
    **named(
        b"[1,]", b"[,1]", b"[1,,2]", b"[1 2]", b"[", b"]", b"[1", b"1]", b"[[]", b"[]]", b"[1;2]"
    ),
    **named(
        b"{", b"}", b"{,}", b'{"a"}', b'{"a":}', b'{"a":1,}', b'{,"a":1}', b'{"a" 1}', b"{a:1}"
    ),
    **named(
        b"{'a':1}", b"{1:1}", b'{"a":1 "b":2}', b'{"a":1,,"b":2}', b'{"a"::1}', b'{"a":1', b"{[]:1}"
    ),
    **named(
        b"'a'", b"a", b'"a', b'a"', b'"a"b"', b'"a""b"', b"`a`", b'""a', b'"\\"', b'"\\', b"\\"
    ),
    **named(
        b"/*x*/1", b"1//x", b"1#x", b"# x\n1", b"<!-- -->1", b"(1)", b"1;", b"1,", b"{}{}", b"1 2"
    ),
    **{
        f"escape {e!r}": string(b"\\" + e)
        for e in [b"a", b"x41", b"'", b"0", b"\n", b"u", b"u{41}", b" "]
    },
    **{
        f"\\u{e!r}": string(b"\\u" + e)
        for e in [b"1", b"12", b"123", b"12g4", b"-123", b"+123", b" 123", b"d8zz", b"dc0g", b"D8"]
    },
    **{f"raw U+{point:04X}": string(b"%c" % point) for point in [0, 1, 8, 9, 10, 13, 0x1B, 0x1F]},
    **{
        f"bytes {raw.hex()}": string(raw)
        for raw in [
            *(
                b"\xff",
                b"\xfe\xff",
                b"\x80",
                b"\xc0\x80",
                b"\xc1\xbf",
                b"\xc3",
                b"\xe2\x82",
                b"\xe0\x80\xaf",
            ),
            *(
                b"\xed\xa0\xbd",
                b"\xed\xb8\x80",
                b"\xf0\x9f\x98",
                b"\xf4\x90\x80\x80",
                b"\xf8\x88\x80\x80\x80",
            ),
            *(b"\xf0\x80\x80\x80", b"\xe9", b"a\xffb"),
        ]
    },
    **{
        f"after a value {raw!r}": b"1" + raw
        for raw in [b"\0", b"\xff", b"\xc2\xa0", b"\x0b", b"\x0c", b"\x1a"]
    },
    **{
        f"before a value {raw!r}": raw + b"1"
        for raw in [b"\0", b"\xff", b"\xc2\xa0", b"\x0b", b"\x0c", b"\x1a"]
    },
    **{
        f"for a space {raw!r}": b"[" + raw + b"1]"
        for raw in [b"\xe2\x80\xa8", b"\xe2\x81\xa0", b"\xe3\x80\x80"]
    },
    "open arrays": b"[" * DEEP,
    "open objects": b'{"a":' * DEEP,
    "closed too often": b"[" * 100 + b"]" * 101,
    "in UTF-16": '{"a":1}'.encode("utf-16-le"),
    "nothing": b"",
    "blanks": b" \t\r\n",
}
FREE = {
    **named(
        b"1e400",
        b"-1e400",
        b"1e-400",
        b"1e99999999",
        b"0e99999999",
        b"123456789012345678901234567890",
    ),
    **named(
        b"-" + b"9" * 5000, b"0." + b"1" * 5000, b"1" + b"0" * 100_000, b"18446744073709551616"
    ),
    "deep arrays": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep, and of both kinds": b'[{"a":' * DEEP + b"1" + b"}]" * DEEP,
    "1,000 deep": b"[" * 1000 + b"]" * 1000,
    "many keys": b"{" + b",".join(b'"%d":0' % n for n in range(WIDE)) + b"}",
    "the same key, often": b"{" + b",".join([b'"a":0'] * WIDE) + b"}",
    "many arrays": b"[" + b",".join([b"[]"] * WIDE) + b"]",
    "a byte order mark": b"\xef\xbb\xbf{}",
}
