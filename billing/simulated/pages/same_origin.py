"""Whether a request comes from a page of ours.

The address of a checkout or of a portal is a secret; that of the page of time is not, so any site
that a person looks at could have their browser ask for it.
"""

import re
from urllib.parse import urlsplit

from billing.simulated.exchange import Request

LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}
PORT = re.compile(r":\d*$")


def foreign(request: Request, url: str) -> bool:
    """Whether the browser says that another site asks, or calls us by a name that is not ours.

    By the name alone a site is found out that has its own lead here. Who sends no such header is
    no browser. ``url`` is where browsers reach us.
    """
    own = urlsplit(url).netloc
    host = request.headers.get("host", own)
    if PORT.sub("", host) not in {PORT.sub("", own), *LOOPBACK}:
        return True
    if request.method == "GET":
        return False
    origin = request.headers.get("origin", f"http://{host}")
    site = request.headers.get("sec-fetch-site", "same-origin")
    return origin.partition("://")[2] not in (host, own) or site not in ("same-origin", "none")
