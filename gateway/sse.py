"""Server-sent events as they really arrive: split anywhere, with any line ending."""

from collections.abc import Iterator

MAX_LINE = 1024 * 1024
DONE = b"[DONE]"


class TooLong(Exception):
    """A line went on beyond ``MAX_LINE`` bytes."""


class Events:
    """Turns chunks of bytes into the ``data`` of whole events; comments and other fields vanish.

    An event that is not closed by a blank line is never given out (WHATWG HTML, 9.2.6).
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The events that ``chunk`` completes. Raises TooLong."""
        text = self._rest + chunk if self._rest else chunk
        if b"\r" in text:
            held = text.endswith(b"\r")  # the \n of a \r\n may be in the next chunk
            body = text[:-1] if held else text
            text = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n") + (b"\r" if held else b"")
        *lines, self._rest = text.split(b"\n")
        if len(self._rest) > MAX_LINE:
            raise TooLong
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
            elif not line and self._data:
                event, self._data = b"\n".join(self._data), []
                yield event


def event(data: bytes) -> bytes:
    """``data`` as one event on the wire."""
    return b"data: " + data + b"\n\n"
