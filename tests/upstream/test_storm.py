"""Thousands of requests, half of them given up half-way: nobody hears what another was told."""

import asyncio
import logging
import time
from collections import Counter

import httpx
import pytest

from tests.crash.ledger import leases
from tests.gateway.site import Site
from tests.upstream.crowd import Crowd, Storm, gather
from tests.upstream.ledger import check_ledger
from tests.upstream.rig import LONG, Dish, Rig, until
from usage.models import RequestLog

log = logging.getLogger(__name__)
TALKS, HANGS = Dish("echo:12"), Dish("hang-headers", deadlines=LONG | {"first_byte": 60})
REQUESTS, PEOPLE, AT_ONCE, SEED = 20_000, 1_000, 100, 9
SOON = 5.0  # seconds


@pytest.mark.t2
def test_a_storm_of_cancelled_requests_mixes_up_nothing_and_leaks_nothing(rig: Rig) -> None:
    rig.serve([TALKS, HANGS])
    crowd, site = Crowd(gather(PEOPLE)), Site(workers=2)
    site.start()
    baseline, begun = rig.zoo.connections, time.monotonic()
    storm = Storm(site.port, crowd, talks=TALKS.model, hangs=HANGS.model, seed=SEED)

    asyncio.run(storm.run(REQUESTS, at_once=AT_ONCE))

    seconds = time.monotonic() - begun
    busy = until(rig.zoo.busy, lambda n: n == 0, SOON)
    open_now = rig.zoo.connections - baseline
    accounts = [person.key.account.pk for person in crowd.people]
    reserved = until(lambda: sum(map(leases, accounts)), lambda n: n == 0, SOON)
    rig.record()
    with httpx.Client(base_url=site.url, timeout=30) as client:
        found = check_ledger(crowd.seen, rig.zoo.log, [p.key for p in crowd.people], client)
    stopped = site.stop()
    outcomes = Counter(RequestLog.objects.values_list("outcome", flat=True))
    log.warning(
        "%d requests in %.0f s, %d given up, outcomes %s; %d strange words, %d implausible limits, "
        "%d connections in use, %d open, %d reservations, %d differences, exit %d",
        *(len(crowd.seen), seconds, crowd.cancelled, dict(outcomes), len(crowd.strange)),
        *(len(crowd.implausible), busy, open_now, reserved, len(found), stopped),
    )
    for difference in found[:10]:
        log.warning("%s", difference)
    assert crowd.strange == []
    assert crowd.implausible == []
    assert found == []
    assert (busy, reserved, stopped) == (0, 0, 0)
    assert open_now <= 2 * AT_ONCE, "the pools hold more than was ever in use at once"
    assert {one.status for one in crowd.seen} <= {None, 200}
