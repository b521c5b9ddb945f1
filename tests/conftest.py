"""What every test with a database needs."""

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Tests that commit empty every table afterwards, which the audit log would refuse."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_auditentry DISABLE TRIGGER audit_is_not_emptied")
        cursor.execute(
            "ALTER TABLE accounts_auditchain DISABLE TRIGGER audit_chains_are_not_emptied"
        )


SLOW = ("tests/platform/", "tests/crash/", "tests/browser/", "tests/upstream/")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, so that at the end no worker waits for the other."""
    items.sort(key=lambda item: not item.nodeid.startswith(SLOW))
