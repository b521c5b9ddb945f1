"""One endpoint gets no more of a process than its slots."""

from contextlib import ExitStack

import pytest
from django.utils import timezone

from webhooks.models import Endpoint
from webhooks.slots import Slots


@pytest.mark.parametrize(
    ("fields", "most"),
    [({}, 1), ({"answers_since": timezone.now()}, 4), ({"failing_since": timezone.now()}, 1)],
)
def test_only_an_endpoint_that_answers_has_several(fields: dict[str, object], most: int) -> None:
    slots, endpoint, other = Slots(), Endpoint(pk=1, **fields), Endpoint(pk=2)

    with ExitStack() as taken:
        mine = [taken.enter_context(slots.one_of(endpoint)) for _ in range(6)]
        with slots.one_of(other) as free:
            theirs = free

    assert sum(mine) == most
    assert theirs


def test_a_slot_is_given_back_whatever_happens() -> None:
    slots, endpoint = Slots(), Endpoint(pk=1)

    for _ in range(3):
        with pytest.raises(ZeroDivisionError), slots.one_of(endpoint):
            1 / 0  # noqa: B018

    with slots.one_of(endpoint) as free:
        assert free
