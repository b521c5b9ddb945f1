"""A name leads where it was judged to lead, whatever DNS says a moment later."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_network
from itertools import cycle

import pytest
from pytest_django import Settings

from tests.webhooks.name_server import NameServer, Records
from tests.webhooks.peers import Stage, answering
from webhooks.dialing import Deadline, Failed, Trouble, leads_home, on_this_machine, way_to
from webhooks.egress import Address, literal, parse
from webhooks.names import MOST
from webhooks.posting import Reply, post

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GOOD, INSIDE = "127.1.0.1", "127.0.0.1"


class World:
    """A receiver on an address that is open, canaries on the same port of those that are not."""

    def __init__(self, names: NameServer, receiver: Stage, canaries: list[Stage]) -> None:
        self.names, self.receiver, self.canaries = names, receiver, canaries

    def post(self, records: Records | None = None, *, seconds: float = 15) -> Reply:
        if records is not None:
            self.names.zone["hooks.ok.com"] = records
        return post(self.receiver.url("hooks.ok.com"), b"{}", {}, deadline_seconds=seconds)

    def nobody_was_called(self) -> bool:
        return not any(stage.connections for stage in [self.receiver, *self.canaries])


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    settings.WEBHOOK_ALLOWED_NETWORKS = (ip_network("127.1.0.0/16"),)
    with ExitStack() as stack:
        names = stack.enter_context(NameServer())
        settings.WEBHOOK_DNS = (names.address,)
        receiver, *canaries = stack.enter_context(on_one_port(GOOD, INSIDE, "::1", "127.2.0.1"))
        yield World(names, receiver, canaries)


@contextmanager
def on_one_port(*hosts: str) -> Iterator[list[Stage]]:
    """A stage on each host; the port that one was given may be taken on another."""
    while True:
        with ExitStack() as stack:
            try:
                stages = [stack.enter_context(answering(OK, hosts[0]))]
                for host in hosts[1:]:
                    stages.append(stack.enter_context(answering(OK, host, stages[0].port)))
            except OSError:
                continue
            yield stages
            return


def flips(*lists: list[str]) -> Iterator[list[str]]:
    return cycle(lists)


def test_a_name_is_asked_for_once_however_often_it_changes(world: World) -> None:
    zones: list[Records] = [
        {"A": flips([GOOD], [INSIDE])},
        {"A": flips([INSIDE], [GOOD])},
        {"A": [GOOD], "AAAA": flips([], ["::1"])},
        {"A": flips([GOOD], [GOOD, INSIDE], [INSIDE, GOOD]), "AAAA": flips([], ["::1"])},
    ]

    outcomes = []
    for zone in zones:
        world.names.zone["hooks.ok.com"] = zone
        outcomes += [world.post() for _ in range(250)]

    assert {(reply.status, reply.error) for reply in outcomes} == {
        (200, ""),
        (None, Trouble.NOT_PUBLIC),
    }
    assert world.receiver.connections == sum(reply.ok for reply in outcomes) > 300
    assert not any(canary.connections for canary in world.canaries)


@pytest.mark.parametrize(
    "records",
    [
        {"A": [INSIDE]},
        {"A": [GOOD, INSIDE]},
        {"A": [INSIDE, GOOD]},
        {"A": [GOOD, "127.2.0.1"]},
        {"A": [GOOD, "10.0.0.1"]},
        {"A": [GOOD], "AAAA": ["::1"]},
        {"A": [GOOD], "AAAA": ["::ffff:127.0.0.1"]},
        {"AAAA": ["::1"]},
        {"AAAA": ["fd00::1"]},
        {"AAAA": ["::ffff:127.2.0.1"]},
        {"CNAME": ["inside.ok.com"]},
        {"CNAME": ["far.ok.com"]},
        {"CNAME": ["localhost"]},
        {"CNAME": ["nothing.ok.com"]},
        {"A": [*(f"127.1.0.{last}" for last in range(1, MOST)), INSIDE]},
        {"A": [f"127.1.0.{last}" for last in range(1, MOST + 2)]},
        {},
    ],
    ids=lambda records: str(records)[:60],
)
def test_one_private_address_among_all_refuses_the_name(world: World, records: Records) -> None:
    world.names.zone |= {
        "inside.ok.com": {"A": [INSIDE]},
        "far.ok.com": {"CNAME": ["inside.ok.com"]},
        "localhost": {"A": [INSIDE], "AAAA": ["::1"]},
    }

    reply = world.post(records)

    assert (reply.status, reply.error) == (None, Trouble.NOT_PUBLIC)
    assert world.nobody_was_called()


@pytest.mark.parametrize(
    "records",
    [
        {"A": [GOOD]},
        {"AAAA": ["::ffff:127.1.0.1"]},
        {"CNAME": ["other.ok.com"]},
    ],
    ids=lambda records: str(records)[:60],
)
def test_a_name_of_good_addresses_is_sent_to(world: World, records: Records) -> None:
    world.names.zone["other.ok.com"] = {"A": [GOOD]}

    reply = world.post(records)

    assert reply.ok
    assert world.receiver.connections == 1


def test_a_name_may_have_a_hundred_addresses(world: World) -> None:
    world.names.zone["hooks.ok.com"] = {"A": [f"127.1.0.{last}" for last in range(1, MOST + 1)]}

    found = way_to(parse(world.receiver.url("hooks.ok.com")), Deadline(5))

    assert len(set(found)) == MOST == 100


def test_the_next_address_is_tried_where_one_does_not_answer(world: World) -> None:
    reply = world.post({"A": ["127.1.0.9", GOOD]})

    assert reply.ok
    assert b"Host: hooks.ok.com" in world.receiver.requests[0]


def test_a_name_that_does_not_exist_is_told_like_one_that_is_refused(world: World) -> None:
    missing = world.post()
    refused = world.post({"A": [INSIDE]})

    assert missing.error == refused.error == Trouble.NOT_PUBLIC
    assert world.nobody_was_called()


def test_a_slow_name_server_is_waited_for_five_seconds(world: World) -> None:
    world.names.delay = 10

    reply = world.post({"A": [GOOD]})

    assert reply.error == Trouble.NOT_PUBLIC
    assert 4000 < reply.duration_ms < 8000
    assert world.nobody_was_called()


def test_a_slow_name_server_has_no_more_than_the_deadline(world: World) -> None:
    world.names.delay = 10

    reply = world.post({"A": [GOOD]}, seconds=0.5)

    assert reply.error == Trouble.TIMEOUT
    assert reply.duration_ms < 3000


def test_without_a_name_server_no_name_is_known(world: World, settings: Settings) -> None:
    settings.WEBHOOK_DNS = ("127.0.0.1:1",)

    reply = world.post({"A": [GOOD]}, seconds=2)

    assert reply.error in {Trouble.NOT_PUBLIC, Trouble.TIMEOUT}
    assert world.nobody_was_called()


def address(text: str) -> Address:
    found = literal(text)
    assert found
    return found


def test_another_name_of_the_platform_leads_nowhere(world: World, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://keys.ok.com"
    world.names.zone |= {
        "keys.ok.com": {"A": ["93.184.216.34"]},
        "evil.ok.com": {"A": ["93.184.216.34"]},
        "other.ok.com": {"A": ["93.184.216.35"]},
    }

    other = way_to(parse("https://other.ok.com/"), Deadline(5))
    with pytest.raises(Failed, match=Trouble.NOT_PUBLIC):
        way_to(parse("https://evil.ok.com/"), Deadline(5))
    with pytest.raises(Failed, match=Trouble.NOT_PUBLIC):
        way_to(parse("https://93.184.216.34/"), Deadline(5))

    assert other == [address("93.184.216.35")]


def test_this_machine_is_known_by_its_addresses(world: World) -> None:
    assert on_this_machine(address(INSIDE))
    assert on_this_machine(address("::1"))
    assert not on_this_machine(address("93.184.216.34"))
    assert leads_home(address(INSIDE))
    assert not leads_home(address(GOOD))
