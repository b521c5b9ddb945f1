"""No official client takes half an answer for a whole one."""

import json
import shutil
import subprocess
from pathlib import Path

import openai
import pytest

from dashboard.instance import ROOT
from tests.upstream.rig import SHORT, Dish, Rig

PROGRAM = Path(__file__).parent / "broken_streams.mjs"
HELLO = [{"role": "user", "content": "Hello, who are you?"}]
BROKEN = [
    Dish("hang-after-headers", deadlines=SHORT),
    Dish("hang-after:0", deadlines=SHORT),
    Dish("hang-after:1", deadlines=SHORT),
    Dish("hang-after:50", deadlines=SHORT),
    Dish("close-after:3"),
    Dish("reset-after:3"),
    Dish("no-finish"),
    Dish("error-later"),
    Dish("odd-event-later"),
]
WHOLE = Dish("normal")


@pytest.fixture(scope="module")
def stage(rig: Rig) -> Rig:
    rig.serve([*BROKEN, WHOLE])
    return rig


@pytest.mark.parametrize("dish", BROKEN, ids=lambda dish: dish.behaviour)
def test_openai_python_raises_where_a_stream_breaks(stage: Rig, dish: Dish) -> None:
    key, base = stage.key.plaintext, f"{stage.site.url}/v1"
    with openai.OpenAI(api_key=key, base_url=base, max_retries=0) as client:
        with pytest.raises(openai.APIError) as caught:
            for _ in client.chat.completions.create(
                model=dish.model, messages=HELLO, stream=True, max_tokens=100
            ):
                pass

        assert not isinstance(caught.value, openai.APIConnectionError)
        assert caught.value.type in ("server_error", "model_error")


def test_openai_node_raises_where_a_stream_breaks(stage: Rig) -> None:
    if not shutil.which("node") or not (ROOT / "node_modules" / "openai").exists():
        pytest.skip("node or its package openai is not installed")
    models = [dish.model for dish in [*BROKEN, WHOLE]]

    done = subprocess.run(
        ["node", str(PROGRAM), f"{stage.site.url}/v1", stage.key.plaintext, *models],
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said.pop(WHOLE.model) == "stop"
    assert set(said) == {dish.model for dish in BROKEN}
    for model, error in said.items():
        assert error in ("APIError", "InternalServerError"), f"{model}: {error}"
