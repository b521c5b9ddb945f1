"""What is not a conversation: a text, texts, token ids, or lists of token ids."""

import msgspec
from msgspec import Raw

from gateway.errors import InvalidRequest
from gateway.tokens import tokens_in

_decode_entries = msgspec.json.Decoder(list[Raw]).decode
_decode_ids = msgspec.json.Decoder(list[int]).decode
NO_TEXT = b'""'


def prompts_in(given: Raw, param: str, *, most: int, empty: bool) -> list[Raw]:
    """Each text or list of token ids by itself, in its own bytes.

    Raises InvalidRequest for anything else, for more than ``most``, and unless ``empty`` is
    allowed for texts without a character.
    """
    kind = bytes(given)[:1]
    entries = _decode_entries(given) if kind == b"[" else [given]
    if kind == b"[" and entries and bytes(entries[0])[:1] not in (b'"', b"["):
        entries = [given]
    if len(entries) > most:
        raise wrong(param, f"has {len(entries):,} entries, more than the {most:,} allowed")
    if not entries or not all(is_prompt(bytes(entry), empty=empty) for entry in entries):
        nothing = "" if empty else ", and nothing in it empty"
        raise wrong(param, f"must be a text, a list of texts, or token ids{nothing}")
    return entries


def is_prompt(entry: bytes, *, empty: bool) -> bool:
    if entry[:1] == b'"':
        return empty or entry != NO_TEXT
    try:
        return entry[:1] == b"[" and bool(_decode_ids(entry))
    except msgspec.ValidationError:
        return False


def is_text(prompt: Raw) -> bool:
    return bytes(prompt)[:1] == b'"'


def tokens_of(prompt: Raw) -> int:
    """Exact for token ids, estimated for texts."""
    return tokens_in(len(bytes(prompt)) - 2) if is_text(prompt) else len(_decode_ids(prompt))


def wrong(param: str, what: str) -> InvalidRequest:
    return InvalidRequest(f"'{param}' {what}.", code="invalid_value", param=param)
