"""What each provider wants to be told differently: data of the catalogue, never code of ours."""

import hashlib
from typing import Any

import msgspec
from msgspec import Raw, Struct

from gateway.errors import InvalidRequest
from gateway.raw_json import NULL, Fields, decode_list

OURS = ("stream_options", "encoding_format")  # what they ask for, we see to ourselves
HARMLESS = (NULL, Raw(b"1"))  # n = 1 is what everybody gets
_decode_text = msgspec.json.Decoder(str).decode


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """For the upstream models that ``models`` matches (``*``, ``?``, ``[…]`` as in file names).

    ``rename`` gives fields of a request another name, ``drop`` leaves them out, ``only`` leaves
    out all but these, ``refuse`` answers 400 where they are present, ``roles`` renames the roles
    of messages, ``tool_call_ids`` is the length that ids of tool calls must have. The client is
    told what was left out.
    """

    models: str = "*"
    rename: dict[str, str] = {}
    drop: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    refuse: tuple[str, ...] = ()
    roles: dict[str, str] = {}
    tool_call_ids: int = 0

    def apply(self, request: Fields) -> list[str]:
        """Change ``request`` in place; the fields left out. Raises InvalidRequest."""
        for name in self.refuse:
            if request.get(name, NULL) not in HARMLESS:
                raise InvalidRequest(
                    f"This model does not take '{name}'.",
                    code="unsupported_parameter",
                    param=name,
                )
        for name, theirs in self.rename.items():
            if name in request:
                request.setdefault(theirs, request.pop(name))
        unwanted = [name for name in request if self.only and name not in self.only]
        left_out = [name for name in (*unwanted, *self.drop) if name in request]
        left_out = [name for name in dict.fromkeys(left_out) if request.pop(name) != NULL]
        if (self.roles or self.tool_call_ids) and isinstance(request.get("messages"), Raw):
            request["messages"] = [self._message(entry) for entry in messages_in(request)]
        return left_out

    def _message(self, message: Fields) -> Fields:
        role = _decode_text(message["role"])
        changed = message | {"role": self.roles.get(role, role)}
        if self.tool_call_ids:
            if "tool_call_id" in message:
                changed["tool_call_id"] = self._short(message["tool_call_id"])
            if message.get("tool_calls", NULL) != NULL:
                calls = decode_list(message["tool_calls"])
                changed["tool_calls"] = [
                    call | {"id": self._short(call["id"])} if "id" in call else call
                    for call in calls
                ]
        return changed

    def _short(self, name: Raw) -> Any:
        """The id itself where it has the length, else a digest of it: the same for the same id."""
        given = _decode_text(name)
        if len(given) == self.tool_call_ids and given.isalnum():
            return name
        return hashlib.sha256(given.encode(errors="surrogatepass")).hexdigest()[
            : self.tool_call_ids
        ]


def spoken(request: Fields, rules: tuple[Rule, ...], parameters: Fields) -> tuple[str, ...]:
    """Put ``request`` into a provider's words, in place; the fields left out, but for ``OURS``.

    ``parameters`` are set where the caller set none. Raises InvalidRequest.
    """
    for name, value in parameters.items():
        if request.get(name, NULL) == NULL:
            request[name] = value
    try:
        left_out = [name for rule in rules for name in rule.apply(request)]
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidRequest(
            f"'messages' is not right: {error}.", code="invalid_value", param="messages"
        ) from error
    return tuple(name for name in left_out if name not in OURS)


def messages_in(request: Fields) -> list[Fields]:
    return decode_list(request["messages"])


class Deadlines(Struct, frozen=True, forbid_unknown_fields=True):
    """How long we wait for a provider, in seconds."""

    connect: float = 5
    first_byte: float = 60
    idle: float = 60  # from one chunk to the next
    total: float = 600
