"""Full batches are stored beside the reading, in order, and none is forgotten before it is."""

import threading
import time

import pytest
from django.db import OperationalError

from tests.usage.calls import make_final
from usage import posting
from usage.backlog import Backlog
from usage.journal import Journal
from usage.models import RequestLog
from usage.posting import Ready
from usage.recorder import Recorder
from usage.records import Final

pytestmark = pytest.mark.django_db(transaction=True)


def batch(account: int) -> list[Final]:
    return [make_final(account_id=account) for _ in range(3)]


def test_batches_are_stored_one_after_the_other_while_the_next_is_made_ready(account: int) -> None:
    told, running = [], threading.Lock()

    def store(finals: list[Final], ready: Ready) -> int:
        assert running.acquire(blocking=False)
        time.sleep(0.01)
        told.append((finals, threading.get_ident()))
        running.release()
        return posting.store(ready)

    batches = [batch(account) for _ in range(4)]
    backlog = Backlog(store)
    new = [backlog.add(finals) for finals in [*batches, batches[0]]] + [backlog.wait()]
    backlog.close()

    assert new == [0, 3, 3, 3, 3, 0]
    assert [finals for finals, _ in told] == [*batches, batches[0]]
    assert {thread for _, thread in told}.isdisjoint({threading.get_ident()})
    assert backlog.unstored == []


def test_what_failed_and_what_came_after_it_is_still_there(account: int) -> None:
    good, bad, later = (batch(account) for _ in range(3))

    def store(finals: list[Final], ready: Ready) -> int:
        if finals is bad:
            raise OperationalError
        return posting.store(ready)

    backlog = Backlog(store)
    backlog.add(good)
    backlog.add(bad)
    with pytest.raises(OperationalError):
        backlog.add(later)
    backlog.close()

    assert backlog.unstored == [*bad, *later]
    assert RequestLog.objects.filter(account_id=account).count() == 3


def test_a_journal_of_many_batches_is_stored_whatever_one_of_them_holds(
    journal: Journal, recorder: Recorder, account: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usage.recorder.BATCH", 7)
    for number in range(40):
        poison = {"api_key_id": 2**63} if number in (3, 20) else {}
        journal.finish(make_final(account_id=account, **poison))

    assert recorder.run_once() == 38
    assert recorder.run_once() == 0
    assert RequestLog.objects.filter(account_id=account).count() == 38
