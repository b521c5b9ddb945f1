"""What an answer must look like when it reaches a client, whatever the provider made of it.

Clients are stricter than providers: a missing ``index`` loses a tool call, a missing ``role``
breaks a helper, an unknown ``finish_reason`` ends an agent's loop. So every choice is completed
here; whatever else a provider says keeps its bytes.
"""

import msgspec
from msgspec import Raw

from gateway.errors import UpstreamFailed
from gateway.raw_json import EMPTY, NULL, Fields, decode_fields, decode_list

NO_TEXT, ASSISTANT, STOP = Raw(b'""'), Raw(b'"assistant"'), Raw(b'"stop"')
NO_CALLS = (NULL, Raw(b"[]"))
GENERATED = ("content", "refusal", "tool_calls", "function_call")
REASONING = ("reasoning_content", "reasoning")  # two names of the same text
KNOWN_REASONS = ("stop", "length", "tool_calls", "content_filter", "function_call")
REASONS = {  # in the words of Anthropic, Gemini, Mistral, Cohere and model servers
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_length": "length",
    "max_length": "length",
    "safety": "content_filter",
    "recitation": "content_filter",
    "blocklist": "content_filter",
    "prohibited_content": "content_filter",
    "refusal": "content_filter",
}
BROKEN_OFF = ("error", "insufficient_system_resource")  # no end, whatever it calls itself

_decode_int = msgspec.json.Decoder(int).decode
_decode_text = msgspec.json.Decoder(str | None).decode


def fields(raw: Raw) -> Fields:
    """The members of an object; null has none."""
    return {} if raw == NULL else decode_fields(raw)


def reason_of(given: Raw, *, called: bool) -> str | None:
    """A ``finish_reason`` that clients know; agents go on only at ``tool_calls``.

    Raises UpstreamFailed for one that says that the answer was broken off.
    """
    word = _decode_text(given)
    if word is None:
        return None
    if word not in KNOWN_REASONS:
        if word.lower() in BROKEN_OFF:
            raise UpstreamFailed("The model broke off its answer.", code="upstream_error")
        word = REASONS.get(word.lower(), "stop")
    return "tool_calls" if called and word == "stop" else word


def generated_in(message: Fields) -> int:
    """Length of what was generated, as JSON writes it, without the quotes of strings."""
    reasoning = next((message[name] for name in REASONING if name in message), NULL)
    texts = [reasoning, *(message[name] for name in GENERATED if name in message)]
    return sum(length_of(bytes(text)) for text in texts if text != NULL)


def length_of(text: bytes) -> int:
    return len(text) - 2 if text[:1] == b'"' else len(text)


class Chat:
    """``chat.completion`` and its chunks. One of these looks after one answer."""

    id_prefix, whole_object, chunk_object = "chatcmpl-", "chat.completion", "chat.completion.chunk"

    def __init__(self) -> None:
        self.begun: set[int] = set()  # indexes of the choices that have begun
        self._calls: dict[int, list[Raw]] = {}  # ids of the tool calls of each choice, in order

    def index(self, choice: Fields, position: int) -> int:
        return _decode_int(choice["index"]) if "index" in choice else position

    def whole(self, choice: Fields, position: int) -> tuple[Fields, int]:
        """One choice completed, and the length of what it says."""
        message = fields(choice.get("message", EMPTY))
        called = message.get("tool_calls", NULL) not in NO_CALLS
        reason = reason_of(choice.get("finish_reason", STOP), called=called)
        completed = {
            **choice,
            "index": self.index(choice, position),
            "message": {"role": ASSISTANT, "content": NULL, "refusal": NULL, **message},
            "logprobs": choice.get("logprobs", NULL),
            "finish_reason": reason or "stop",
        }
        return completed, generated_in(message)

    def chunk(self, choice: Fields, position: int) -> tuple[Fields, int]:
        """The same for one choice of a chunk."""
        index = self.index(choice, position)
        delta = fields(choice.get("delta", EMPTY))
        length = generated_in(delta)
        if index not in self.begun:
            self.begun.add(index)
            delta = {"role": ASSISTANT, **delta}
        if delta.get("tool_calls", NULL) not in NO_CALLS:
            delta["tool_calls"] = self._numbered(index, decode_list(delta["tool_calls"]))
        reason = reason_of(choice.get("finish_reason", NULL), called=index in self._calls)
        return {**choice, "index": index, "delta": delta, "finish_reason": reason}, length

    def _numbered(self, index: int, calls: list[Fields]) -> list[Fields]:
        """Each call under one number: the provider's, else by its id, else the one before's."""
        known = self._calls.setdefault(index, [])
        numbered = []
        for call in calls:
            name = call.get("id", NULL)
            if name not in (NULL, NO_TEXT) and name not in known:
                known.append(name)
            at = known.index(name) if name in known else max(0, len(known) - 1)
            numbered.append({"index": at, **call})
        return numbered

    def as_chunk(self, choice: Fields) -> Fields:
        """A choice of a whole answer as the only chunk of a stream."""
        rest = {name: value for name, value in choice.items() if name != "message"}
        return rest | {"delta": choice.get("message", EMPTY)}

    def end(self, index: int) -> Fields:
        """The last chunk of a choice whose provider forgot to say why it ended."""
        reason = "tool_calls" if index in self._calls else "stop"
        return {"index": index, "delta": EMPTY, "finish_reason": reason}


class Text(Chat):
    """``text_completion``, whole and in chunks; ``offset`` is the first index of this prompt."""

    id_prefix, whole_object, chunk_object = "cmpl-", "text_completion", "text_completion"

    def __init__(self, offset: int = 0) -> None:
        super().__init__()
        self._offset = offset

    def index(self, choice: Fields, position: int) -> int:
        return self._offset + super().index(choice, position)

    def text(self, choice: Fields) -> Raw:
        text: Raw = choice.get("text", NULL)
        return text

    def whole(self, choice: Fields, position: int) -> tuple[Fields, int]:
        completed, length = self.chunk(choice, position)
        return completed | {"finish_reason": completed["finish_reason"] or "stop"}, length

    def chunk(self, choice: Fields, position: int) -> tuple[Fields, int]:
        text, index = self.text(choice), self.index(choice, position)
        self.begun.add(index)
        completed = {
            "text": NO_TEXT if text == NULL else text,
            "index": index,
            "logprobs": choice.get("logprobs", NULL),
            "finish_reason": reason_of(choice.get("finish_reason", NULL), called=False),
        }
        return completed, 0 if text == NULL else length_of(bytes(text))

    def as_chunk(self, choice: Fields) -> Fields:
        return choice

    def end(self, index: int) -> Fields:
        return {"text": NO_TEXT, "index": index, "logprobs": NULL, "finish_reason": "stop"}


class TextFromChat(Text):
    """``text_completion`` of a model that only chats."""

    def text(self, choice: Fields) -> Raw:
        said = choice["message"] if "message" in choice else choice.get("delta", EMPTY)
        content: Raw = fields(said).get("content", NULL)
        return content

    def chunk(self, choice: Fields, position: int) -> tuple[Fields, int]:
        completed, length = super().chunk(choice, position)
        return completed | {"logprobs": NULL}, length  # those of chat have another form
