"""What a key looks like, and that nobody can guess one."""

import re
from collections import Counter
from typing import Any

import pytest

from accounts import keys
from dashboard.instance import ROOT

FORM = re.compile(r"kpx_[0-9A-Za-z]{48}")
CRITICAL = 61 + 5 * (2 * 61) ** 0.5  # five standard deviations above the mean of χ² with 61


@pytest.mark.parametrize("number", [100_000, pytest.param(1_000_000, marks=pytest.mark.t2)])
def test_keys_have_their_form_differ_and_are_uniform(number: int) -> None:
    made = [keys.generate() for _ in range(number)]

    assert len(set(made)) == number
    assert all(FORM.fullmatch(key) and keys.defect(key) is None for key in made)
    for at in (0, 20, 41):
        found = Counter(key[4 + at] for key in made)
        expected = number / 62
        assert len(found) == 62
        assert sum((n - expected) ** 2 / expected for n in found.values()) < CRITICAL
    together = Counter("".join(key[4:46] for key in made))
    expected = 42 * number / 62
    assert sum((n - expected) ** 2 / expected for n in together.values()) < CRITICAL


def test_every_mistyped_character_is_noticed() -> None:
    key = keys.generate()

    for at in range(4, len(key)):
        other = "a" if key[at] != "a" else "b"
        assert "checksum" in str(keys.defect(key[:at] + other + key[at + 1 :]))


def test_what_the_documentation_gives_scanners_finds_every_key_and_nothing_else() -> None:
    text = (ROOT / "docs" / "leaked-keys.md").read_text()
    patterns = set(re.findall(r"\\bkpx_\S+?\\b", text))
    [code] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    told: dict[str, Any] = {}
    exec(code, told)  # it is ours
    made = [keys.generate() for _ in range(200)]
    wrong = [key[:-1] + ("a" if key[-1] != "a" else "b") for key in made]

    assert len(patterns) == 1
    [pattern] = patterns
    assert all(re.search(pattern, f'key = "{key}";') for key in made)
    assert not re.search(pattern, made[0][:-1])
    assert all(told["is_key"](key) for key in made)
    assert not any(told["is_key"](key) for key in wrong)
