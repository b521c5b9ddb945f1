"""However a provider misbehaves, the client gets an honest answer and the books are right."""

from dataclasses import replace

import pytest

from tests.upstream.cases import CASES, Case
from tests.upstream.expectations import check_tries
from tests.upstream.rig import SLACK, Rig


@pytest.fixture(scope="module")
def table(rig: Rig) -> Rig:
    """The rig, with every behaviour of the table on offer."""
    port = str(rig.zoo.port)
    dishes = [case.dish for case in CASES]
    rig.serve(replace(dish, base_url=dish.base_url.replace("{port}", port)) for dish in dishes)
    return rig


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_client_sees_the_truth_and_pays_for_no_more(table: Rig, case: Case) -> None:
    for _ in range(case.times):
        seen = table.ask(case.dish, streamed=case.streamed)

        assert seen.status in {200, 400, 429, 500, 503}, seen.body[:500]
        row = table.row(seen.request_id)
        case.sees.check(case.dish, case.streamed, seen, row)
        assert row.streamed == case.streamed
        assert seen.seconds <= (case.within or case.dish.deadlines["total"] + SLACK)

    check_tries(table.traces(case.dish), case.times, once=case.once)
    table.check_quiet(case.dish.case)
