"""What providers report of the tokens they used, in the one form that we count and show.

Every dialect has its own words and its own idea of what is inside what:

- OpenAI, Mistral, vLLM, Ollama: ``prompt_tokens`` and ``completion_tokens``, details beside them;
- DeepSeek: ``prompt_cache_hit_tokens`` for what was read from a cache;
- Gemini and xAI leave reasoning out of ``completion_tokens``, but not out of ``total_tokens``;
- Anthropic and the Responses API: ``input_tokens`` and ``output_tokens``; Anthropic's input holds
  neither what was read from a cache nor what was written to it;
- Voyage: ``total_tokens`` alone.
"""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from msgspec.structs import astuple

MOST = 10_000_000  # tokens of one call that we believe in where no window is known
Count = Annotated[int, Meta(ge=0)]


class Usage(Struct, frozen=True):
    """Tokens of one call. The details are parts of prompt and completion, never on top of them."""

    prompt: int
    completion: int
    cached: int = 0
    cache_written: int = 0
    reasoning: int = 0
    audio: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            *(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True))
        )

    def believable(self, most: int | None) -> bool:
        """Whether prompt and completion are possible for a model with a window of ``most``."""
        bound = most or MOST
        return self.prompt <= bound and self.completion <= bound

    def as_reported(self) -> dict[str, int]:
        """The three counts of the seed (keyplex, lines 179–183); the total is their sum."""
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
        }


NOTHING_YET = Usage(0, 0)


class Details(Struct):
    cached_tokens: Count | None = None
    cache_write_tokens: Count | None = None
    reasoning_tokens: Count | None = None
    audio_tokens: Count | None = None


NO_DETAILS = Details()


class Reported(Struct):
    """Every word that a provider may use."""

    prompt_tokens: Count | UnsetType = UNSET
    completion_tokens: Count | UnsetType = UNSET
    total_tokens: Count | UnsetType = UNSET
    input_tokens: Count | UnsetType = UNSET
    output_tokens: Count | UnsetType = UNSET
    prompt_tokens_details: Details | None = None
    completion_tokens_details: Details | None = None
    input_tokens_details: Details | None = None
    output_tokens_details: Details | None = None
    prompt_cache_hit_tokens: Count = 0
    cache_read_input_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None


_decode = msgspec.json.Decoder(Reported | None).decode


def read(reported: Raw) -> Usage | None:
    """The usage in a provider's ``usage``; None where it says nothing that could be counted."""
    try:
        said = _decode(reported)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if said is None:
        return None
    if said.input_tokens is not UNSET:
        return _of_messages(said, said.input_tokens)
    if said.prompt_tokens is UNSET and said.total_tokens is UNSET:
        return None
    return _of_completions(said)


def _of_completions(said: Reported) -> Usage:
    completion = said.completion_tokens or 0
    total = said.total_tokens or 0
    prompt = total - completion if said.prompt_tokens is UNSET else said.prompt_tokens
    into = said.prompt_tokens_details or NO_DETAILS
    out = said.completion_tokens_details or NO_DETAILS
    hidden = max(0, total - prompt - completion)  # reasoning that the completion leaves out
    return Usage(
        prompt,
        completion + hidden,
        cached=into.cached_tokens or said.prompt_cache_hit_tokens,
        cache_written=into.cache_write_tokens or 0,
        reasoning=max(out.reasoning_tokens or 0, hidden),
        audio=(into.audio_tokens or 0) + (out.audio_tokens or 0),
    )


def _of_messages(said: Reported, given: int) -> Usage:
    into = said.input_tokens_details or NO_DETAILS
    out = said.output_tokens_details or NO_DETAILS
    read_again, written = said.cache_read_input_tokens or 0, said.cache_creation_input_tokens or 0
    return Usage(
        given + read_again + written,
        said.output_tokens or 0,
        cached=read_again or into.cached_tokens or 0,
        cache_written=written or into.cache_write_tokens or 0,
        reasoning=out.reasoning_tokens or 0,
        audio=(into.audio_tokens or 0) + (out.audio_tokens or 0),
    )
