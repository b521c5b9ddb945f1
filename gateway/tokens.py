"""How many tokens a text has, where no provider has told us.

Four bytes of UTF-8 to a token: right on average for English, and within a third for scripts whose
letters take three bytes and about one token each. Whatever rests on it is marked ``estimated``.
"""

BYTES_PER_TOKEN = 4
IMAGE_TOKENS = 1000  # for a part of a message that is not text


def tokens_in(byte_count: int) -> int:
    """Tokens in so many bytes of text, rounded up.

    >>> tokens_in(0), tokens_in(1), tokens_in(8)
    (0, 1, 2)
    """
    return -(-max(0, byte_count) // BYTES_PER_TOKEN)
