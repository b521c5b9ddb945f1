"""Server-sent events as they really arrive: split anywhere, with any line ending."""

from collections.abc import Iterator

MAX_EVENT = 1024 * 1024
DONE = b"[DONE]"
BOM = b"\xef\xbb\xbf"


class TooLong(Exception):
    """An event went on beyond ``MAX_EVENT`` bytes."""


class Events:
    """Turns chunks of bytes into the ``data`` of whole events; comments and other fields vanish.

    An event that is not closed by a blank line waits for ``close``.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._held = 0
        self._begun = False  # a byte order mark may stand before the first event
        self.lines = 0  # whole ones so far, also those that say nothing

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The events that ``chunk`` completes. Raises TooLong."""
        text = self._rest + chunk if self._rest else chunk
        if not self._begun:
            if BOM.startswith(text[:3]) and len(text) < len(BOM):
                self._rest = text
                return
            self._begun, text = True, text.removeprefix(BOM)
        if b"\r" in text:
            held = text.endswith(b"\r")  # the \n of a \r\n may be in the next chunk
            body = text[:-1] if held else text
            text = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n") + (b"\r" if held else b"")
        *lines, self._rest = text.split(b"\n")
        self.lines += len(lines)
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
                self._held += len(line)
            elif not line and self._data:
                yield self._taken()
        if self._held + len(self._rest) > MAX_EVENT:
            raise TooLong

    def close(self) -> Iterator[bytes]:
        """The event that the end of the stream left without its blank line, if there is one.

        A browser drops it (WHATWG HTML, 9.2.6); providers that end in haste mean it.
        """
        if self._rest.rstrip(b"\r"):
            yield from self.feed(b"\n")
        if self._data:
            yield self._taken()

    def _taken(self) -> bytes:
        event, self._data, self._held = b"\n".join(self._data), [], 0
        return event


def event(data: bytes) -> bytes:
    """``data`` as one event on the wire."""
    return b"data: " + data + b"\n\n"
