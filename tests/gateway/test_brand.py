"""What a product looks like is read from its catalogue, and can be read by everybody."""

import re
from pathlib import Path

import pytest

from dashboard.instance import ROOT
from gateway import brand, product
from gateway.colours import contrast

BARE = '[product]\nname = "S"\nkey_prefix = "sm-"\nbase_path = "/v1"\nfirst_model = "mine/echo"\n'
COMMUNITY = """
[[product.links.community]]
name = "keys-for-swift"
url = "https://code.example/swift"
language = "Swift"
maintainer = "Some People"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "small.toml"


def test_a_product_without_looks_has_the_usual_ones(path: Path) -> None:
    path.write_text(BARE)

    read = product.read(path)

    assert (read.tagline, read.accent, read.links) == ("", None, brand.Links())


def test_its_accent_and_its_links_are_read(path: Path) -> None:
    accent = 'accent = { light = "#7a2fa8", dark = "#c99bff" }\n'
    links = '[product.links]\ngithub = "https://code.example/it"\nsales = "us@example.com"\n'
    path.write_text(BARE + accent + links + COMMUNITY)

    read = product.read(path)

    assert read.accent == brand.Accent("#7a2fa8", "#c99bff")
    assert (read.links.github, read.links.terms) == ("https://code.example/it", None)
    assert [one.maintainer for one in read.links.community] == ["Some People"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('accent = { light = "#7a2fa8" }', "missing required field `dark`"),
        ('accent = { light = "violet", dark = "#c99bff" }', "matching regex"),
        (
            'accent = { light = "#ffcc00", dark = "#c99bff" }',
            r"accent for light pages, #ffcc00, has a contrast of 1\.\d to 1 on #\w+; to be read it "
            r"needs 4\.5 to 1 - at `\$\.product\.accent`",
        ),
        (
            'accent = { light = "#7a2fa8", dark = "#7a2fa8" }',
            r"accent for dark pages, #7a2fa8, has a contrast of",
        ),
        ('tagline = "' + "word " * 20 + '"', "length <= 80"),
        ('links = { github = "javascript:alert(1)" }', r"matching regex .*links\.github"),
        ('links = { terms = "https://a.example/\\" onclick=" }', r"matching regex .*links\.terms"),
        ('links = { sales = "nobody" }', r"matching regex .*links\.sales"),
        ('links = { twitter = "https://a.example" }', "unknown field `twitter`"),
        (COMMUNITY.replace("maintainer", "author"), "unknown field `author`"),
    ],
)
def test_what_would_not_work_is_refused_with_the_reason(
    path: Path, line: str, complaint: str
) -> None:
    path.write_text(f"{BARE}{line}\n")

    with pytest.raises(ValueError, match=f"{re.escape(str(path))}: .*{complaint}"):
        product.read(path)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#767676", "#ffffff", 4.54),
        ("#777777", "#ffffff", 4.48),
        ("#ff0000", "#ffffff", 4.0),
    ],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert round(contrast(one, other), 2) == round(contrast(other, one), 2) == ratio


def test_the_grounds_are_those_of_the_style_sheet() -> None:
    tokens = (ROOT / "static" / "css" / "tokens.css").read_text()
    pairs = zip(("page", "side", "surface", "raised"), brand.ON_LIGHT, brand.ON_DARK, strict=True)

    for name, light, dark in pairs:
        assert f"--{name}: light-dark({light}, {dark});" in tokens
