"""Durations counted in buckets that grow by a third of an octave, so that hours can be added up.

Bucket 0 holds what took less than a millisecond, bucket n what took from 2^((n-1)/3) ms up to
2^(n/3) ms, the last one whatever took longer. A list may be shorter: the rest is zeros.
"""

import operator
from collections.abc import Sequence
from itertools import zip_longest
from math import floor, log2

BUCKETS = 64  # the last begins at some 28 minutes
PER_OCTAVE = 3


def bucket(duration_ms: int) -> int:
    if duration_ms < 1:
        return 0
    return min(BUCKETS - 1, 1 + floor(log2(duration_ms) * PER_OCTAVE))


def bounds(number: int) -> tuple[float, float]:
    """From where up to where, in milliseconds, bucket ``number`` reaches."""
    lower = 2 ** ((number - 1) / PER_OCTAVE) if number else 0.0
    return lower, 2 ** (number / PER_OCTAVE)


def add(one: Sequence[int], other: Sequence[int]) -> list[int]:
    return [a + b for a, b in zip_longest(one, other, fillvalue=0)]


def add_to(sums: list[int], histogram: Sequence[int]) -> None:
    """Add ``histogram`` to ``sums``, which has all buckets."""
    sums[: len(histogram)] = map(operator.add, sums, histogram)


def count(histogram: list[int], duration_ms: int) -> None:
    """Put one duration into ``histogram``, which grows as far as it must."""
    number = bucket(duration_ms)
    if number >= len(histogram):
        histogram.extend([0] * (number + 1 - len(histogram)))
    histogram[number] += 1


def percentile(histogram: Sequence[int], fraction: float) -> float | None:
    """The duration that ``fraction`` of all do not exceed, to within a bucket; None if empty."""
    total = sum(histogram)
    if not total:
        return None
    wanted, seen = fraction * total, 0
    for number, amount in enumerate(histogram):
        if amount and seen + amount >= wanted:
            lower, upper = bounds(number)
            return lower + (upper - lower) * (wanted - seen) / amount
        seen += amount
    raise AssertionError("fraction must be between 0 and 1")
