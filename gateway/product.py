"""A product: what its pages call it, what its keys look like, where its API stands.

A process serves one product, the ``[product]`` table of its catalogue file, read once at start.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from gateway.brand import Accent, Links

Prefix = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]{0,9}[-_]\Z")]  # so none begins another


class Product(Struct, frozen=True, forbid_unknown_fields=True):
    """``base_path`` is where pages say that the API stands; it stands at both.

    ``first_model`` is the one that a newcomer's first call names, and ``key_variable`` the variable
    of the environment in which its examples expect the key. Keys with one of the
    ``accepted_prefixes`` were issued by products before this one. ``unknown_model`` is the status
    for a model that does not exist: OpenAI's 404, or the 400 of a strict reader of its error type.
    The ``tagline`` is what its front page says first; without an ``accent`` the one of
    static/css/tokens.css holds.
    """

    name: Annotated[str, Meta(min_length=1, max_length=50)]
    key_prefix: Prefix
    base_path: Literal["/api/v1", "/v1"]
    first_model: str
    key_variable: Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9_]{0,40}\Z")] = "API_KEY"
    accepted_prefixes: tuple[Prefix, ...] = ()
    unknown_model: Literal[404, 400] = 404
    tagline: Annotated[str, Meta(max_length=80)] = ""
    accent: Accent | None = None
    links: Links = Links()

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Every prefix that a key may have, our own first."""
        return (self.key_prefix, *self.accepted_prefixes)


class File(Struct):
    product: Product


def read(path: Path) -> Product:
    """The product of a catalogue file. Raises ValueError with what is wrong and where."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text()), File).product
    except (OSError, ValueError) as error:  # those of TOML and msgspec are ValueErrors
        raise ValueError(f"{path}: {error}") from error
