"""While a provider says nothing, its client is kept awake, and told the truth in the end."""

import pytest

from tests.upstream.reading import read_stream
from tests.upstream.rig import LONG, Dish, Rig

KEEP_ALIVE_EVERY = 15  # seconds
SILENT = Dish("hang-after:1", deadlines=LONG | {"idle": 2 * KEEP_ALIVE_EVERY + 5, "total": 60})


@pytest.mark.t2
def test_a_stream_that_falls_silent_is_kept_alive_with_comments(rig: Rig) -> None:
    rig.serve([SILENT])

    seen = rig.ask(SILENT, streamed=True)

    reading = read_stream(seen.body, SILENT.model)
    assert reading.comments == 2
    assert reading.text() == {0: "four"}
    assert reading.error is not None
    assert not reading.done
