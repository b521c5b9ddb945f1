"""Looking at a page, however often, changes nothing: a link that is followed does no harm."""

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client

from accounts.models import User
from tests.access.routes import Things
from tests.dashboard.conftest import browser_of

pytestmark = pytest.mark.django_db
MAY_CHANGE = {"django_session"}  # where to go on after a sign-in, and what a form begun has shown


def snapshot() -> dict[str, str]:
    """What each table holds, in one word."""
    with connection.cursor() as cursor:
        tables = {table.name for table in connection.introspection.get_table_list(cursor)}
        held = {}
        for table in sorted(tables - MAY_CHANGE):
            name = connection.ops.quote_name(table)
            cursor.execute(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} t")
            [held[table]] = cursor.fetchone()
    return held


def known_to_allauth(user: User) -> None:
    """Of an address that it has not heard of, its page of addresses makes a note."""
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)


@pytest.mark.parametrize("who", ["nobody", "the owner", "an operator"])
@pytest.mark.parametrize("method", ["get", pytest.param("head", marks=pytest.mark.t2)])
def test_every_page_can_be_looked_at_twice(db: None, who: str, method: str) -> None:
    things = Things.make()
    known_to_allauth(things.key.account.members.get())
    operator = User.objects.create_superuser("operator@example.com", "correct horse")
    known_to_allauth(operator)
    browser = {
        "nobody": Client(),
        "the owner": browser_of(things.key.account.members.get()),
        "an operator": browser_of(operator),
    }[who]
    addresses = [address for _, address in things.addresses()]
    before = snapshot()

    statuses = {
        address: [getattr(browser, method)(address).status_code for _ in range(2)]
        for address in addresses
    }

    after = snapshot()
    assert [table for table in before if before[table] != after[table]] == []
    assert statuses["/audit"] == [{"nobody": 302, "the owner": 200, "an operator": 403}[who]] * 2
    assert all(status < 500 for both in statuses.values() for status in both)
