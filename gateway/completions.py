"""``POST completions``, the older way to ask: what is asked, also of models that only chat.

Seed: keyplex, lines 188-199. A chat model is given each prompt as the one message of a user, and
what it says comes back as a text completion; what cannot be put that way is refused by name.
"""

from functools import partial
from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct

from gateway.catalog import Offer
from gateway.errors import InvalidRequest
from gateway.generation import Question
from gateway.prompts import is_text, prompts_in, tokens_of
from gateway.raw_json import NULL, decode_fields, encode
from gateway.requests import Count, Penalty, StreamOptions, parsed
from gateway.shapes import Text, TextFromChat

MAX_TOKENS = 16  # what is generated at most where nothing is said (keyplex, line 197)
MAX_PROMPTS = 128
NOT_FOR_CHAT = ("suffix", "best_of", "logprobs", "echo")
OLD_FIELDS = ("prompt", *NOT_FOR_CHAT)


class CompletionRequest(Struct):
    """The checked fields. ``prompt`` is a text, texts, token ids, or lists of token ids."""

    model: str
    prompt: Raw
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Meta(ge=0)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    best_of: Count | None = None
    echo: bool | None = None
    suffix: str | None = None
    logprobs: int | None = None
    stop: str | list[str] | None = None
    user: str | None = None

    def prompts(self) -> list[Raw]:
        """Each prompt by itself. Raises InvalidRequest for what is none."""
        return prompts_in(self.prompt, "prompt", most=MAX_PROMPTS, empty=True)

    def tokens(self) -> list[int]:
        """How many each prompt has. Raises InvalidRequest."""
        return [tokens_of(prompt) for prompt in self.prompts()]

    def output_tokens(self) -> int:
        """The most that may be generated, over all choices of all prompts."""
        most = MAX_TOKENS if self.max_tokens is None else self.max_tokens
        return most * max(self.n or 1, self.best_of or 1) * len(self.prompts())

    def questions(self, body: bytes, offer: Offer) -> list[Question]:
        """What providers of this model are asked. Raises InvalidRequest."""
        fields = decode_fields(body)
        if fields.get("max_tokens", NULL) == NULL:
            fields["max_tokens"] = MAX_TOKENS  # what we reserved is what the provider must keep to
        if offer.kind == "completion":
            return [Question("completions", encode(fields), Text)]
        offer.require("chat")
        prompts = self.prompts()
        self.require_chat(prompts)
        kept = {name: value for name, value in fields.items() if name not in OLD_FIELDS}
        return [
            Question(
                "chat/completions",
                encode(kept | {"messages": [{"role": "user", "content": prompt}]}),
                partial(TextFromChat, number * (self.n or 1)),
            )
            for number, prompt in enumerate(prompts)
        ]

    def require_chat(self, prompts: list[Raw]) -> None:
        """Raise InvalidRequest for what a model that only chats cannot be asked."""
        asked = {
            "suffix": bool(self.suffix),
            "best_of": (self.best_of or 1) > (self.n or 1),
            "logprobs": self.logprobs is not None,
            "echo": bool(self.echo),
            "prompt": not all(map(is_text, prompts)),
            "max_tokens": self.max_tokens == 0,
        }
        for name, impossible in asked.items():
            if impossible:
                raise InvalidRequest(
                    f"The model '{self.model}' is a chat model and cannot be asked for a "
                    f"completion with this '{name}'.",
                    code="unsupported_parameter",
                    param=name,
                )


_decode_request = msgspec.json.Decoder(CompletionRequest).decode


def parse_completion(body: bytes) -> CompletionRequest:
    """Raises InvalidRequest with the field."""
    return parsed(_decode_request, body)
