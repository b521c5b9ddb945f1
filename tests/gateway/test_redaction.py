"""No secret of the corpus is left in what is stored, wherever it stands; what is none stays."""

import json

import msgspec
import pytest

from gateway.captures import KEPT, MOST, joined, kept
from gateway.redaction import Redaction

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
KEY = "kpx_" + "A1b2C3d4" * 6
SECRETS = [
    KEY,
    KEY[:24],
    "sk-proj-abcdefghijklmnopqrstuvwx0123456789",
    "sk-ant-api03-abcdefghijklmnop_qrstuvwxyz-0123",
    "sk-or-v1-0123456789abcdef0123456789abcdef",
    "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "whsec_br3/tqK3Q0Fu5NiMV081bixC+1+/D9N1rNMdKYeLarI=",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuv",
    "glpat-abcdefghij0123456789",
    "xoxb-123456789012-abcdefghijkl",
    "AKIAIOSFODNN7EXAMPLE",
    "AIzaSyA1234567890abcdefghijklmnopqrstuv",
    "hf_abcdefghijklmnopqrstuvwxyz012345",
    JWT,
    "Bearer abcdef0123456789",
    "Basic dXNlcjpwYXNzd29yZA==",
    "ada.lovelace+test@mail.example.co.uk",
    "4111 1111 1111 1111",
    "5500-0000-0000-0004",
    "378282246310005",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
]
HARMLESS = [
    *("Hello, world!", "The order 4111 1111 1111 1112 is late.", "12345678901234567890123"),
    *(
        "max_tokens is 4096",
        "user at example dot com",
        "3.14159265358979",
        "basic idea",
        "日本語 🎉",
    ),
    *("The sky-high risk-free task", "req_0192f3a4b5c6d7e8f90a1b2c3d4e5f60", "bearer of news"),
]
redaction = Redaction(["patient_name"])


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_gone_wherever_it_stands(secret: str) -> None:
    inner = json.dumps({"note": f"it is {secret}."})
    documents = [
        {"messages": [{"role": "user", "content": f"Use {secret} for it."}]},
        {"tools": [{"function": {"arguments": inner}}]},
        {f"name {secret}": 1},
        [secret],
    ]
    bodies = [json.dumps(document).encode() for document in documents]

    for body in [*bodies, bodies[0][:-4], f"no JSON: {secret}".encode()]:
        stored = redaction.of_json(body)
        assert secret not in stored
        assert json.dumps(secret)[1:-1] not in stored
        assert "[redacted]" in stored


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text: str) -> None:
    assert json.loads(redaction.of_json(json.dumps({"content": text}).encode()))["content"] == text


@pytest.mark.parametrize(
    "name",
    ["password", "Password", "client_secret", "X-API-Key", "authorization", "patientName", "cvc"],
)
@pytest.mark.parametrize("value", ["geheim7", 7007007, ["geheim7"], {"a": "geheim7"}])
def test_a_field_is_left_out_by_its_name(name: str, value: object) -> None:
    document = {"args": {name: value}, "kept": "this"}

    stored = redaction.of_json(json.dumps(document).encode())

    assert "geheim7" not in stored
    assert "7007007" not in stored
    assert json.loads(stored)["kept"] == "this"


def test_a_field_in_a_string_of_json_or_in_broken_json_is_left_out_too() -> None:
    inner = json.dumps({"city": "Rome", "password": "geheim7"})
    whole = json.dumps({"arguments": inner}).encode()

    for body in (whole, whole[:-2], inner.encode()[:-1]):
        stored = redaction.of_json(body)
        assert "geheim7" not in stored
        assert "Rome" in stored


def test_binary_data_is_cut() -> None:
    picture = "data:image/png;base64," + "iVBORw0KGgo" * 5000
    document = {"image_url": {"url": picture}, "raw": "A" * 5000}

    stored = redaction.of_json(json.dumps(document).encode())

    assert "[data:image/png;base64: 55,022 characters cut]" in stored
    assert len(stored) < 200


def test_a_secret_in_pieces_over_a_stream_is_seen() -> None:
    pieces = ["Write to ada", ".love", "lace@exam", "ple.com", " today"]
    events = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
    stream = b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events)

    stored = kept(stream + b"data: [DONE]\n\n", redaction)

    assert json.loads(stored)[0]["choices"][0]["delta"]["content"] == "Write to [redacted] today"


def test_a_stream_is_put_together_choice_by_choice_and_call_by_call() -> None:
    def call(index: int, text: str) -> dict[str, object]:
        return {"tool_calls": [{"index": index, "function": {"arguments": text}}]}

    deltas = [
        (0, {"role": "assistant", "content": "a"}),
        (1, {"content": "b"}),
        (0, call(0, '{"x')),
    ]
    deltas += [(0, call(0, '": 1}')), (1, {"content": "c"}), (0, call(1, "{}"))]
    events: list[object] = [{"choices": [{"index": i, "delta": delta}]} for i, delta in deltas]
    events += [{"choices": [], "usage": {"total_tokens": 3}}, {"error": {"message": "oh"}}]

    [whole, error] = joined(b"".join(b"data: %b\n\n" % json.dumps(e).encode() for e in events))

    first, second = (choice["delta"] for choice in whole["choices"])
    assert first["content"] == "a"
    assert [call["function"]["arguments"] for call in first["tool_calls"]] == ['{"x": 1}', "{}"]
    assert second == {"content": "bc"}
    assert whole["usage"] == {"total_tokens": 3}
    assert error == {"error": {"message": "oh"}}


def test_what_is_long_is_cut_and_what_is_huge_is_not_kept() -> None:
    long = kept(msgspec.json.encode({"content": "long text " * 20_000}), redaction)
    huge = kept(b'"' + b"x" * MOST + b'"', redaction)

    assert len(long) < KEPT + 100
    assert huge == "[larger than 1024 KiB and not kept]"


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[" * 100_000, b'{"a": NaN}', b"data: {"])
def test_nothing_that_was_sent_breaks_it(body: bytes) -> None:
    assert isinstance(kept(body, redaction), str)


@pytest.mark.parametrize(
    "piece",
    [
        *("\\", "-eyJ", "eyJ.", "sk-a-", "@a.", "a@", "1 ", "bearer ", "Aa0" * 170 + " ", '"ab'),
        *('"ab": ', "'password': \\", "-----BEGIN A", "data:a;", "4111-", '\\"', "_-", "['"),
    ],
)
def test_no_text_of_a_stranger_takes_us_more_than_a_moment(piece: str) -> None:
    text = piece * (MOST // len(piece))  # whoever searched it in square time would be here tomorrow

    assert isinstance(redaction.of_text(text), str)
