"""The snippets of ``docs/webhooks.md`` verify what we sign, and nothing else, each in its language.

A small program around a snippet reads the body from its input, headers and secret from its
arguments, and says ``yes`` or ``no``.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import pytest

from webhooks import signing

BESIDE = Path(__file__).parents[2] / "docs" / "webhooks"
PYTHON = """
import json, sys
from verify import verify_standard, verify_webhook

which, headers, secret = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
body = sys.stdin.buffer.read()
if which == "standard":
    right = verify_standard(body, headers, secret)
else:
    right = verify_webhook(body, headers.get(which), secret)
print("yes" if right is True else "no")
"""
NODE = """
import { readFileSync } from "node:fs";
import { verifyStandard, verifyWebhook } from "./verify.mjs";

const [which, text, secret] = process.argv.slice(2);
const headers = JSON.parse(text);
const body = readFileSync(0);
const right = which === "standard"
  ? verifyStandard(body, headers, secret)
  : verifyWebhook(body, headers[which], secret);
console.log(right === true ? "yes" : "no");
"""
GO = """
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"example/webhooks"
)

func main() {
	var headers map[string]string
	if err := json.Unmarshal([]byte(os.Args[2]), &headers); err != nil {
		panic(err)
	}
	body, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	if webhooks.Verify(body, headers[os.Args[1]], os.Args[3]) {
		fmt.Println("yes")
	} else {
		fmt.Println("no")
	}
}
"""
RUBY = """
require "json"
require_relative "verify"

which, text, secret = ARGV
body = $stdin.binmode.read
puts verify_webhook(body, JSON.parse(text)[which], secret) == true ? "yes" : "no"
"""
PHP = """<?php
require __DIR__ . '/verify.php';

[, $which, $text, $secret] = $argv;
$body = file_get_contents('php://stdin');
$headers = json_decode($text, true);
echo verify_webhook($body, $headers[$which] ?? null, $secret) === true ? 'yes' : 'no';
"""
GO_MODULE = "module example\n\ngo 1.19\n"
PROGRAMS = {  # by suffix: what runs it, and the program
    ".py": (sys.executable, PYTHON),
    ".mjs": ("node", NODE),
    ".go": ("go", GO),
    ".rb": ("ruby", RUBY),
    ".php": ("php", PHP),
}
BODIES = {
    "plain": b'{"id":"evt_1","type":"api_key.created","data":{"name":"plain"}}',
    "letters of the world": '{"name":"Ünï ✓ 日本語 🔑 e\u0301 \u2028"}'.encode(),
    "all bytes": bytes(range(256)),
    "nothing": b"",
}
PLAIN, PREVIOUS, STANDARD = "x-keyplex-signature", "x-keyplex-signature-previous", "standard"
MINUTE = 60


@dataclass(frozen=True)
class Sent:
    """A request, its headers by their names in small letters."""

    body: bytes
    headers: dict[str, str]

    def but(self, **headers: str) -> Self:
        return replace(
            self, headers=self.headers | {name.replace("_", "-"): headers[name] for name in headers}
        )

    def without(self, *names: str) -> Self:
        left = {name: value for name, value in self.headers.items() if name not in names}
        return replace(self, headers=left)


Verify = Callable[[Sent, str], bool]


def sent(body: bytes, *secrets: str, age: int = 0) -> Sent:
    """What we would have sent so many seconds ago."""
    named = signing.headers("evt_1f", int(time.time()) - age, body, secrets)
    return Sent(body, {name.lower(): value for name, value in named.items()})


def built(suffix: str, folder: Path) -> list[str]:
    """The command that runs the snippet; skips where this machine cannot."""
    runtime, program = PROGRAMS[suffix]
    if not shutil.which(runtime):
        pytest.skip(f"{runtime} is not installed")
    main, snippet = folder / f"main{suffix}", BESIDE / f"verify{suffix}"
    main.write_text(program)
    if suffix != ".go":
        shutil.copy(snippet, folder)
        return [runtime, str(main)]
    (folder / "webhooks").mkdir()
    shutil.copy(snippet, folder / "webhooks")
    (folder / "go.mod").write_text(GO_MODULE)
    subprocess.run([runtime, "build", "-o", "main", "."], cwd=folder, check=True, timeout=300)
    return [str(folder / "main")]


def verifier(command: list[str], which: str) -> Verify:
    def verify(request: Sent, secret: str) -> bool:
        done = subprocess.run(
            [*command, which, json.dumps(request.headers), secret],
            input=request.body,
            capture_output=True,
            timeout=60,
        )
        said = done.stdout.decode().strip()
        assert (said, done.returncode) in {("yes", 0), ("no", 0)}, done.stderr.decode()
        return said == "yes"

    return verify


@pytest.fixture(scope="module", params=PROGRAMS)
def command(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return built(request.param, tmp_path_factory.mktemp("snippet"))


@pytest.fixture(scope="module", params=[".py", ".mjs"])
def standard(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Verify:
    return verifier(built(request.param, tmp_path_factory.mktemp("standard")), STANDARD)


@pytest.fixture
def plain(command: list[str]) -> Verify:
    return verifier(command, PLAIN)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_what_we_sign_is_right_whatever_its_bytes(body: bytes, plain: Verify) -> None:
    secret = signing.generate_secret()

    request = sent(body, secret)

    assert plain(request, secret)


def test_a_changed_byte_is_wrong(plain: Verify) -> None:
    secret = signing.generate_secret()
    request = sent(BODIES["plain"], secret)

    forged = replace(request, body=request.body.replace(b"plain", b"Plain"))

    assert not plain(forged, secret)
    assert not plain(replace(request, body=request.body + b"\n"), secret)


def test_another_secret_is_wrong(plain: Verify) -> None:
    secret, another = signing.generate_secret(), signing.generate_secret()

    request = sent(BODIES["plain"], secret)

    assert not plain(request, another)
    assert not plain(request, secret.removeprefix(signing.PREFIX))


@pytest.mark.parametrize("signature", ["", "sha256=", "sha256=ü", "sha1=00", "v1,AAAA"])
def test_a_signature_of_another_form_is_wrong_and_breaks_nothing(
    signature: str, plain: Verify
) -> None:
    secret = signing.generate_secret()

    request = sent(BODIES["plain"], secret).but(x_keyplex_signature=signature)

    assert not plain(request, secret)


def test_a_signature_that_is_missing_or_only_begins_right_is_wrong(plain: Verify) -> None:
    secret = signing.generate_secret()
    request = sent(BODIES["plain"], secret)

    cut = request.headers[PLAIN][:-1]

    assert not plain(request.but(x_keyplex_signature=cut), secret)
    assert not plain(request.without(PLAIN), secret)


def test_after_a_rotation_each_secret_has_its_header(command: list[str]) -> None:
    old, new = signing.generate_secret(), signing.generate_secret()

    request = sent(BODIES["letters of the world"], new, old)

    present, previous = verifier(command, PLAIN), verifier(command, PREVIOUS)
    assert (present(request, new), previous(request, new)) == (True, False)
    assert (present(request, old), previous(request, old)) == (False, True)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_the_standard_signature_is_right_whatever_the_bytes(body: bytes, standard: Verify) -> None:
    secret = signing.generate_secret()

    request = sent(body, secret)

    assert standard(request, secret)


def test_a_changed_byte_id_or_time_is_wrong_by_the_standard(standard: Verify) -> None:
    secret, another = signing.generate_secret(), signing.generate_secret()
    request = sent(BODIES["plain"], secret)

    later = str(int(request.headers["webhook-timestamp"]) + 1)

    assert not standard(replace(request, body=request.body.replace(b"plain", b"Plain")), secret)
    assert not standard(request.but(webhook_id="evt_2f"), secret)
    assert not standard(request.but(webhook_timestamp=later), secret)
    assert not standard(request, another)


@pytest.mark.parametrize(("minutes", "right"), [(6, False), (4, True), (-4, True), (-6, False)])
def test_five_minutes_are_tolerated_before_and_after(
    minutes: int, right: bool, standard: Verify
) -> None:
    secret = signing.generate_secret()

    request = sent(BODIES["plain"], secret, age=minutes * MINUTE)

    assert standard(request, secret) is right


@pytest.mark.parametrize("timestamp", ["", "soon", "-1", "1e9", " 1", "١٢٣", "9" * 400])
def test_a_time_that_is_no_number_is_wrong_and_breaks_nothing(
    timestamp: str, standard: Verify
) -> None:
    secret = signing.generate_secret()

    request = sent(BODIES["plain"], secret).but(webhook_timestamp=timestamp)

    assert not standard(request, secret)


def test_what_has_no_signature_or_one_of_another_form_is_wrong(standard: Verify) -> None:
    secret = signing.generate_secret()
    request = sent(BODIES["plain"], secret)

    right = request.headers["webhook-signature"]

    assert not standard(request.without("webhook-signature"), secret)
    assert not standard(request.without("webhook-id", "webhook-timestamp"), secret)
    assert not standard(request.but(webhook_signature=right.replace("v1,", "v2,")), secret)
    assert not standard(request.but(webhook_signature="v1,ü v1, "), secret)


def test_while_two_secrets_are_valid_either_finds_its_signature(standard: Verify) -> None:
    old, new = signing.generate_secret(), signing.generate_secret()

    request = sent(BODIES["plain"], new, old)

    assert standard(request, new)
    assert standard(request, old)
    assert not standard(request, signing.generate_secret())
