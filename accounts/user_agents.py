"""What a browser calls itself, in words that its owner knows."""

import re

BROWSERS = (
    ("Edg(?:e|A|iOS)?", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox|FxiOS", "Firefox"),
    ("Chrome|CriOS|HeadlessChrome", "Chrome"),
    ("Version(?=.*Safari/)", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh|Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux|X11", "Linux"),
)


def in_words(agent: str) -> str:
    """The browser and where it runs; of another program its name.

    >>> in_words("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0")
    'Chrome 140 on Linux'
    >>> in_words("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Safari/604.1")
    'Safari 18 on iPhone'
    >>> in_words("curl/8.11.0"), in_words("python-requests/2.32 foo"), in_words("")
    ('curl 8.11', 'python-requests 2.32', 'Unknown')
    """
    system = next((name for pattern, name in SYSTEMS if re.search(pattern, agent)), "")
    for pattern, name in BROWSERS:
        if found := re.search(rf"(?:{pattern})/(\d+)", agent):
            return f"{name} {found[1]}{f' on {system}' if system else ''}"
    product = re.match(r"([^\s/]+)(?:/(\d+(?:\.\d+)?))?", agent)
    return " ".join(filter(None, product.groups()))[:60] if product else "Unknown"
