"""The documentation does not lag behind the code: what it must name stands in it."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from accounts.scopes import Scope
from billing.limits import OF_KEYS, SOFT
from billing.models import Plan
from billing.unserved import Unserved
from dashboard.docs import parameters, tables
from dashboard.docs.contents import FOLDER, ORDER, PAGES
from dashboard.instance import ROOT
from gateway import caller, errors
from gateway.asgi import BELOW, ROUTES
from gateway.errors import APIError
from gateway.models import LanguageModel
from gateway.openapi_schemas import SCHEMAS
from tests.docs.conftest import Pages
from usage.models import Outcome
from webhooks.event_types import EventType

ROW = re.compile(r"^\| (\d{3}) \| `(\w+)` \| .+ \|$", re.MULTILINE)
IN_LOG_ONLY = {"interrupted"}
Code = tuple[int, str]


def kinds(kind: type[APIError] = APIError) -> Iterator[type[APIError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from kinds(child)


def codes_raised() -> set[str]:
    """Every code that the gateway may answer with: defaults of its errors, and all others."""
    found = {kind.code for kind in kinds() if kind.code}
    found |= {code for code, _ in caller.NOT_IN_USE.values()}
    for path in [*(ROOT / "gateway").glob("*.py"), ROOT / "billing" / "unserved.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "code":
                found |= constants(node.value)
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == Unserved.__name__:
                found |= constants(node.args[0])
    return found


def codes_of_kinds() -> Iterator[tuple[type[APIError], str]]:
    """Each kind of error with the codes that it is raised with, where the source says both."""
    named = {kind.__name__: kind for kind in kinds()}
    for path in (ROOT / "gateway").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            kind = named.get(getattr(node.func, "id", "")) if isinstance(node, ast.Call) else None
            if isinstance(node, ast.Call) and kind:
                said = (word.value for word in node.keywords if word.arg == "code")
                yield from ((kind, code) for value in said for code in constants(value))


def constants(node: ast.expr) -> set[str]:
    """The texts that an expression may be, with both sides of a choice."""
    if isinstance(node, ast.IfExp):
        return constants(node.body) | constants(node.orelse)
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def documented(page: str) -> dict[str, set[Code]]:
    """The codes of each type, with their statuses: a heading and a table for every one."""
    sections = re.split(r"^## ", page, flags=re.MULTILINE)
    titled = {section.partition("\n")[0]: section for section in sections}
    return {
        title: {(int(status), code) for status, code in ROW.findall(text)}
        for title, text in titled.items()
        if ROW.search(text)
    }


def test_every_error_code_is_documented_and_no_other(pages: Pages) -> None:
    codes = {code for found in documented(pages["errors"]).values() for _, code in found}

    assert codes == codes_raised() - IN_LOG_ONLY
    assert all(f"`{code}`" in pages["errors"] for code in IN_LOG_ONLY)


def test_a_code_stands_under_its_type_with_its_status(pages: Pages) -> None:
    found = documented(pages["errors"])

    for kind in kinds():
        if kind is not errors.UnknownModel and kind.code:
            assert (kind.status, kind.code) in found[kind.type], kind.__name__
    for kind, code in codes_of_kinds():
        if code not in IN_LOG_ONLY:
            assert (kind.status, code) in found[kind.type], code


def test_every_error_type_has_a_heading_and_a_row(pages: Pages) -> None:
    types = {kind.type for kind in kinds()}

    assert types == set(tables.TYPES) == set(documented(pages["errors"]))
    assert all(f"| `{name}` |" in pages["errors"] for name in types)


def test_every_permission_is_documented_with_what_needs_it(pages: Pages) -> None:
    for scope in Scope:
        [row] = re.findall(rf"^\| `{scope.value}` \|.*$", pages["keys"], re.MULTILINE)
        assert scope.label in row
        assert re.search(r"`(GET|POST) /", row), scope


def test_every_event_is_documented_where_it_is_told_and_where_it_is_asked(pages: Pages) -> None:
    for event in EventType:
        assert f"### {event.value}" in pages["webhooks"]
        assert f"| `{event.value}` |" in pages["events"]


def test_every_route_is_documented_on_a_page_of_its_own(pages: Pages) -> None:
    served = [(path, method) for path, (method, _) in ROUTES.items()]
    served += [(path, method) for path, (method, _) in BELOW.items()]
    for path, method in served:
        path = path.removeprefix("/v1")
        rows = [line for line in pages["endpoints"].splitlines() if f"`{method} {path}" in line]
        assert rows, path
        if path != "/openapi.json":
            [slug] = {found for row in rows for found in re.findall(r"\(([\w-]+)\.md\)", row)}
            assert f"{method} {path.rstrip('/')}" in pages[slug], path


def test_every_limit_is_documented(pages: Pages) -> None:
    for name in OF_KEYS:
        assert f"| `{name}` |" in pages["rate-limits"]
    assert f"`{SOFT}tokens_per_month`" in pages["rate-limits"]


def test_every_outcome_is_documented(pages: Pages) -> None:
    assert all(f"| `{outcome}` |" in pages["explain"] for outcome in Outcome.values)


def test_every_header_of_ours_is_documented(pages: Pages) -> None:
    source = "".join(path.read_text() for path in (ROOT / "gateway").glob("*.py"))
    told = " ".join(pages.values()).lower()

    for name in re.findall(r'b"(x-(?:keyplex|ratelimit|should)-[a-z-]+[a-z])"', source):
        assert name in told, name


def test_every_parameter_of_a_request_says_what_it_means() -> None:
    asked = [name for name in SCHEMAS if name.endswith("Request")]

    assert set(asked) <= set(parameters.BODIES)
    for name, table in [*parameters.BODIES.items(), *parameters.QUERIES.items()]:
        for row in table.splitlines()[2:]:
            assert row.rpartition(" | ")[2].strip(" |"), f"{name}: {row}"


def test_every_request_has_its_parameters_on_a_page(pages: Pages) -> None:
    for name, table in [*parameters.BODIES.items(), *parameters.QUERIES.items()]:
        assert any(table in text for text in pages.values()), name


def test_every_model_and_every_name_of_it_is_in_a_table(pages: Pages) -> None:
    for model in LanguageModel.objects.all():
        assert f"| `{model.model_id}` |" in pages["models"]
        for alias in model.aliases:
            assert f"`{alias}`" in pages["migrate-openrouter"]


def test_the_numbers_of_every_plan_are_public(pages: Pages) -> None:
    for plan in Plan.objects.on_offer():
        assert f"| {plan.name} |" in pages["fair-use"]
        for amount in plan.limits.values():
            assert f"{amount:,}" in pages["fair-use"]


def test_every_file_is_a_page_and_every_page_a_file() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == set(PAGES)
    assert len(ORDER) == len(PAGES)


def examples(pages: Pages) -> Iterator[tuple[str, str, str]]:
    for slug, text in pages.items():
        for name, body in re.findall(r"^```json ?(\w*)$(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            yield slug, name, body


def test_every_example_has_the_shape_that_the_interface_describes(pages: Pages) -> None:
    found = list(examples(pages))

    assert len(found) > 10
    for slug, name, body in found:
        document = json.loads(body)
        if name:
            check(document, SCHEMAS[name], f"{slug}: {name}")


def check(value: Any, schema: dict[str, Any], place: str) -> None:
    """What is required is there, constants are right, and so is everything within."""
    if "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    assert value == schema.get("const", value), place
    if isinstance(value, dict):
        assert set(schema.get("required", [])) <= set(value), place
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                check(value[name], inner, f"{place}.{name}")
    if isinstance(value, list) and "items" in schema:
        for entry in value:
            check(entry, schema["items"], f"{place}[]")


@pytest.mark.parametrize("slug", PAGES)
def test_a_page_begins_with_its_title_and_a_line_about_it(slug: str) -> None:
    title, empty, lead, *_ = PAGES[slug].source.split("\n")

    assert re.fullmatch(r"# [^{]+", title)
    assert not empty
    assert slug == "webhooks" or lead.endswith((".", "below"))
