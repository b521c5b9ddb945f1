"""What a scrape says, taken apart by Prometheus' own parser."""

import anyio
from prometheus_client.parser import text_string_to_metric_families as parse

from dashboard.metrics.page import Page
from gateway.catalog import Catalog, load
from gateway.heartbeat import Heartbeat
from tests.gateway.conftest import load_catalog

ERRORS = "keyplex_scrape_errors"
Values = dict[tuple[str, ...], float]


def values_of(page: str) -> Values:
    """Each value by its name and its labels, in the order of their names."""
    samples = [sample for family in parse(page) for sample in family.samples]
    return {(s.name, *(s.labels[name] for name in sorted(s.labels))): s.value for s in samples}


def read(catalog: Catalog | None = None) -> Values:
    """What a process would say that was never asked before."""
    page = Page(catalog or Catalog(), Heartbeat())
    return values_of(anyio.run(page.body).decode())


def loaded() -> Catalog:
    load_catalog()
    version, offers, _ = load()
    return Catalog(version, {name: offer for offer in offers for name in offer.names})


def failed(values: Values) -> set[str]:
    """The sources that said nothing."""
    return {rest[0] for (name, *rest), value in values.items() if value and name == ERRORS}
