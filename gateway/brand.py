"""What a product looks like and where else it can be found: its accent and its links."""

from typing import Annotated

from msgspec import Meta, Struct

from gateway.colours import LEAST, contrast, mixed

Colour = Annotated[str, Meta(pattern=r"^#[0-9a-fA-F]{6}\Z")]
Line = Annotated[str, Meta(min_length=1, max_length=60)]
Address = Annotated[str, Meta(pattern=r"^https://[^\s/\"<>]+[^\s\"<>]*\Z", max_length=300)]
Mailbox = Annotated[str, Meta(pattern=r"^[^\s@<>\"]+@[^\s@<>\"]+\Z", max_length=200)]
# What an accent is read on: page, side, surface and raised of static/css/tokens.css
ON_LIGHT = ("#fbfbfa", "#ffffff", "#ffffff", "#f3f3f4")
ON_DARK = ("#0d0e12", "#101116", "#15161b", "#1e2026")
SOFT_LIGHT, SOFT_DARK = 9, 16  # percent of the accent in the ground of a badge


class Accent(Struct, frozen=True, forbid_unknown_fields=True):
    """The colour of links, of what is chosen and of the mark: for light pages, and for dark ones.

    Either can be read wherever it stands.
    """

    light: Colour
    dark: Colour

    def __post_init__(self) -> None:
        for name, colour, grounds in (
            ("light", self.light, (*ON_LIGHT, self.soft_light)),
            ("dark", self.dark, (*ON_DARK, self.soft_dark)),
        ):
            worst = min(grounds, key=lambda ground: contrast(colour, ground))
            if (reached := contrast(colour, worst)) < LEAST:
                raise ValueError(
                    f"The accent for {name} pages, {colour}, has a contrast of {reached:.1f} to 1 "
                    f"on {worst}; to be read it needs {LEAST} to 1"
                )

    @property
    def soft_light(self) -> str:
        return mixed(self.light, "#ffffff", SOFT_LIGHT)

    @property
    def soft_dark(self) -> str:
        return mixed(self.dark, "#15161b", SOFT_DARK)


class Library(Struct, frozen=True, forbid_unknown_fields=True):
    """A client that somebody else looks after."""

    name: Line
    url: Address
    language: Line
    maintainer: Line


class Links(Struct, frozen=True, forbid_unknown_fields=True):
    """Where to find what stands elsewhere; what is empty is not shown."""

    github: Address | None = None
    sdk_python: Address | None = None
    sdk_js: Address | None = None
    terms: Address | None = None
    privacy: Address | None = None
    sales: Mailbox | None = None
    community: tuple[Library, ...] = ()
