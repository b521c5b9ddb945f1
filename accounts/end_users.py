"""Whom a client calls for, kept under a name that tells nobody who it is.

An account may choose that names of end users are kept as digests. The same name then always gets
the same digest, so that usage can be told apart by it, and whoever knows the name finds it.
"""

import hmac

from django.conf import settings

MARK = "enduser_"


def hidden(account_id: int, name: str) -> str:
    """``enduser_`` and 32 hex digits, other ones in each account; of no name, none.

    >>> hidden(1, "")
    ''
    >>> hidden(1, "ada") == hidden(1, "ada") != hidden(2, "ada")
    True
    """
    if not name:
        return ""
    words = f"{account_id} {name}".encode(errors="surrogatepass")
    return MARK + hmac.digest(settings.END_USER_KEY.encode(), words, "sha256")[:16].hex()
