"""Form-encoded parameters, read by the shape that an endpoint declares.

A shape is a type (``str``, ``int``, ``bool``), a set of words to choose from, a list of one shape
or a mapping of names to shapes, where ``*`` stands for any name; ``Needed`` marks what must be
there. What is in no shape is refused: a parameter that would change nothing here, but something at
Stripe, must not go unnoticed.
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from billing.simulated.errors import InvalidRequest

Shape = Any
METADATA: Shape = {"*": str}
EXPAND: Shape = {"expand": [str]}
PAGED: Shape = {"limit": int, "starting_after": str, "ending_before": str, **EXPAND}
MOMENTS: Shape = {"gt": int, "gte": int, "lt": int, "lte": int}
DATED: Shape = {"created": MOMENTS, **PAGED}
SEGMENT = re.compile(r"\[([^]]*)\]")
FLAGS = {"true": True, "false": False}


@dataclass(frozen=True)
class Needed:
    shape: Shape


def read(encoded: str, shape: Shape) -> dict[str, Any]:
    """The parameters of a request. Raises InvalidRequest for what does not fit ``shape``."""
    given: dict[str, Any] = cast(decode(encoded), shape, "")
    return given


def decode(encoded: str) -> dict[str, Any]:
    """A tree of names.

    >>> decode("items[0][price]=a&expand[]=b")
    {'items': {'0': {'price': 'a'}}, 'expand': {'0': 'b'}}
    """
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        first, bracket, rest = name.partition("[")
        *path, last = [first, *SEGMENT.findall(bracket + rest)]
        branch = tree
        for segment in path:
            branch = branch.setdefault(segment or str(len(branch)), {})
            if not isinstance(branch, dict):
                raise InvalidRequest(f"{name} is both a value and a mapping.", param=name)
        branch[last or str(len(branch))] = value
    return tree


def cast(value: Any, shape: Shape, name: str) -> Any:
    if isinstance(shape, Needed):
        shape = shape.shape
    if isinstance(shape, dict):
        return mapping(value, shape, name)
    if isinstance(shape, list):
        return [cast(entry, shape[0], f"{name}[{at}]") for at, entry in enumerate(entries(value))]
    if not isinstance(value, str):
        raise InvalidRequest(f"{name} must be one value.", param=name)
    return scalar(value, shape, name)


def entries(value: Any) -> list[Any]:
    """Those of a list, which a form writes as a mapping of positions; of an empty one, none."""
    if isinstance(value, dict):
        positions = sorted(value, key=lambda key: int(key) if key.isdecimal() else 0)
        return [value[key] for key in positions]
    return [value] if value else []


def mapping(value: Any, shape: dict[str, Shape], name: str) -> dict[str, Any]:
    if value == "":
        return {}
    if not isinstance(value, dict):
        raise InvalidRequest(f"{name} must be a mapping.", param=name)

    def path(key: str) -> str:
        return f"{name}[{key}]" if name else key

    for key, wanted in shape.items():
        if isinstance(wanted, Needed) and value.get(key, "") == "":
            raise InvalidRequest(
                f"{path(key)} is needed.", code="parameter_missing", param=path(key)
            )
    for key in value:
        if key not in shape and "*" not in shape:
            message = f"{path(key)} is not a parameter that is simulated here."
            raise InvalidRequest(message, code="parameter_unknown", param=path(key))
    return {key: cast(one, shape.get(key, shape.get("*")), path(key)) for key, one in value.items()}


def scalar(value: str, shape: Shape, name: str) -> Any:
    if shape is bool and value in FLAGS:
        return FLAGS[value]
    if shape is int and re.fullmatch(r"-?\d{1,15}", value):
        return int(value)
    if shape is str:
        return value
    if isinstance(shape, set) and value in shape:
        return value
    wanted = f"one of {', '.join(sorted(shape))}" if isinstance(shape, set) else shape.__name__
    code = "parameter_invalid_integer" if shape is int else ""
    raise InvalidRequest(f"{name} must be {wanted}, not {value!r}.", code=code, param=name)
