"""The programs in the READMEs of the SDKs run as they stand; address, key and secret are put in."""

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from dashboard.instance import ROOT
from tests.gateway.conftest import Recorded
from tests.sdk.conftest import Person
from tests.sdk.node import NEEDS_NODE
from usage.recorder import Recorder
from webhooks import signing

SECRET = signing.generate_secret()
BODY = b'{"id":"evt_1","type":"api_key.created","data":{}}'
LISTEN = """
server.listen(0, async () => {
  const url = `http://127.0.0.1:${server.address().port}/hook`;
  for (const body of [BODY, `${BODY} `]) {
    const answer = await fetch(url, { method: "POST", headers: HEADERS, body });
    console.log(answer.status);
  }
  server.close();
});
"""


def blocks(sdk: str, language: str, owner: Person) -> list[str]:
    text = (ROOT / "sdk" / sdk / "README.md").read_text()
    for before, after in [
        ("https://keyplex.example/v1", str(owner.client.base_url)),
        ("kpx_your_api_key_here", owner.issued.plaintext),
        ("whsec_your_secret_here", SECRET),
    ]:
        assert before in text
        text = text.replace(before, after)
    return re.findall(rf"^```{language}\n(.+?)^```", text, re.DOTALL | re.MULTILINE)


def signed() -> dict[str, str]:
    return signing.headers("evt_1", int(time.time()), BODY, [SECRET])


def check(printed: str) -> None:
    assert "Hello!" in printed
    assert re.search(r"^404 .* req_", printed, re.MULTILINE)
    assert "\n9998\n" in printed
    assert "9998 of 10000 requests per minute" in printed
    assert "usage:read" in printed
    assert "Answered to its end." in printed
    assert "1 api_key.created" in printed
    assert "evt_1 api_key.created" in printed


def test_the_python_programs_run(
    owner: Person, recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, Any] = {"__name__": "readme"}
    for block in blocks("python", "python", owner):
        exec(block, names)
        recorded(names["answer"]._request_id)

    visitor = names["app"].test_client()
    statuses = [
        visitor.post("/hook", data=body, headers=signed()).status_code for body in (BODY, BODY[1:])
    ]

    assert statuses == [204, 400]
    check(capsys.readouterr().out)


@NEEDS_NODE
def test_the_javascript_programs_run(owner: Person, tmp_path: Path) -> None:
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "keyplex").symlink_to(ROOT / "sdk" / "js")
    constants = f"const BODY = {json.dumps(BODY.decode())}, HEADERS = {json.dumps(signed())};\n"
    program = tmp_path / "program.mjs"
    program.write_text(constants + "\n".join(blocks("js", "js", owner)) + LISTEN)

    process = subprocess.Popen(["node", program], stdout=subprocess.PIPE, text=True)
    while process.poll() is None:  # so that the request can be explained
        Recorder(settings.JOURNAL_DIR).run_once()
        time.sleep(0.1)
    printed, _ = process.communicate()

    assert process.returncode == 0
    assert printed.split()[-1] == "400"
    assert "\n204\n" in printed
    check(printed)


@NEEDS_NODE
def test_all_that_javascript_exports_has_a_type() -> None:
    program = f"import * as sdk from '{ROOT}/sdk/js/index.js'; console.log(Object.keys(sdk).join())"
    done = subprocess.run(
        ["node", "--input-type=module", "-e", program], capture_output=True, text=True, check=True
    )
    types = (ROOT / "sdk" / "js" / "index.d.ts").read_text()
    declared = set(re.findall(r"^export (?:class|function|namespace) (\w+)", types, re.MULTILINE))
    declared |= set(re.findall(r"^export (default) ", types, re.MULTILINE))
    declared |= set(re.findall(r"^  (\w+Error),$", types, re.MULTILINE))

    assert declared == set(done.stdout.strip().split(","))
