"""When somebody is told how much of a limit is used."""

from collections.abc import Sequence

THRESHOLDS = (80, 90)  # percent; the seed names these (keyplex, lines 435-436)


def reached(used: int, limit: int, thresholds: Sequence[int] = THRESHOLDS) -> list[int]:
    """The percentages of ``limit`` that lie at or below ``used``, in order.

    Not what was just crossed: whoever asks knows what was told before, and a limit that was
    lowered is reached without any use.

    >>> reached(799, 1000), reached(800, 1000), reached(920, 1000)
    ([], [80], [80, 90])
    """
    return [percent for percent in thresholds if used * 100 >= percent * limit]
