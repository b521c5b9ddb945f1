"""Everything in the operators' room can be found, and every act asks for its permission."""

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.acts import ActForm
from accounts.models import User
from dashboard.instance import ROOT
from dashboard.ops.rooms import WALLS
from tests.access.test_matrix import MATRIX
from tests.operators import as_operator
from tests.ops.furniture import furnish
from tests.people import make_user

pytestmark = pytest.mark.django_db
ROOM = {model._meta.label_lower: pages for model, pages in admin.site._registry.items()}
DOORS = [door for doors in WALLS.values() for door in doors]
SYMBOLS = ROOT / "static" / "icons.svg"


def acts() -> Iterator[tuple[str, str, type[ActForm]]]:
    """The route of each act, its address for the first row there is, and its form."""
    for label, pages in ROOM.items():
        at = f"/ops/{label.replace('.', '/')}"
        first = pages.model._default_manager.values_list("pk", flat=True)[0]
        for name, form in pages.acts.items():  # type: ignore[attr-defined]
            yield f"{at}/<int:object_id>/{name}/", f"{at}/{first}/{name}/", form
        for name, form in pages.new.items():  # type: ignore[attr-defined]
            yield f"{at}/{name}/", f"{at}/{name}/", form


def staff(*, without: str = "", only: str = "") -> Client:
    """Signed in as an operator with every permission but one, or with those of one kind only."""
    user = make_user("staff")
    User.objects.filter(pk=user.pk).update(is_staff=True)
    app, _, codename = without.partition(".")
    granted = Permission.objects.filter(codename__startswith=only)
    if without:
        granted = granted.exclude(content_type__app_label=app, codename=codename)
    user.user_permissions.set(granted)
    return as_operator(Client(), User.objects.get(pk=user.pk))


def test_every_list_hangs_on_one_wall_and_every_door_leads_somewhere() -> None:
    lists = Counter(door.leads_to for door in DOORS if "." in door.leads_to)

    assert dict(lists) == dict.fromkeys(ROOM, 1)
    assert len({door.url for door in DOORS}) == len(DOORS)
    assert len({door.name for door in DOORS}) == len(DOORS)


def test_every_door_has_an_icon_that_there_is() -> None:
    known = set(re.findall(r'<symbol id="([\w-]+)"', SYMBOLS.read_text()))

    assert {door.icon for door in DOORS} <= known


def test_every_door_opens_and_says_where_one_is() -> None:
    furnish()
    browser = as_operator(Client())

    for door in DOORS:
        page = browser.get(door.url).content.decode()
        [here] = re.findall(r'<a href="([^"]+)" aria-current="page"', page)
        assert here == door.url


def test_an_operator_sees_the_doors_that_open_for_them() -> None:
    page = staff(only="view_user").get("/ops/").content.decode()

    assert 'href="/ops/accounts/user/"' in page
    assert 'href="/ops/accounts/account/"' not in page


def test_every_act_can_be_looked_at_with_its_permission_and_not_without() -> None:
    furnish()
    everything, onlooker = as_operator(Client()), staff(only="view_")
    permissions = {form.permission for _, _, form in acts()}
    lacking = {permission: staff(without=permission) for permission in permissions}

    wrong = {}
    for _, address, form in acts():
        browsers = [everything, lacking[form.permission], onlooker]
        statuses = [browser.get(address).status_code for browser in browsers]
        if statuses != [200, 403, 200 if ".view_" in form.permission else 403]:
            wrong[address] = statuses

    assert wrong == {}
    assert len(permissions) >= 3


def test_an_act_names_a_permission_that_there_is() -> None:
    furnish()
    known = {
        f"{permission.content_type.app_label}.{permission.codename}"
        for permission in Permission.objects.select_related("content_type")
    }

    assert {form.permission for _, _, form in acts()} <= known


def test_every_act_stands_in_the_matrix_of_who_gets_what() -> None:
    furnish()
    rows = set(MATRIX.read_text().split())

    assert [route for route, _, _ in acts() if route not in rows] == []
