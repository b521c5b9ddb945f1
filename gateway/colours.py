"""Colours as WCAG 2 sees them: how well one can be read on another.

>>> round(contrast("#ffffff", "#000000"), 1)
21.0
"""

LEAST = 4.5  # to 1, of text


def channels(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of ``#rrggbb``."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def mixed(colour: str, into: str, percent: int) -> str:
    """
    >>> mixed("#000000", "#ffffff", 50)
    '#808080'
    """
    pairs = zip(channels(colour), channels(into), strict=True)
    blend = [round((a * percent + b * (100 - percent)) / 100) for a, b in pairs]
    return f"#{bytes(blend).hex()}"


def contrast(one: str, other: str) -> float:
    """From 1, of a colour with itself, to 21, of black on white."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    weights = (0.2126, 0.7152, 0.0722)
    return sum(w * _linear(c / 255) for w, c in zip(weights, channels(colour), strict=True))


def _linear(share: float) -> float:
    return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)
