"""Short ways to write metrics down. All that the stores tell are gauges: sums that may fall."""

from collections.abc import Iterable, Mapping

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric

Pair = tuple[str, str]


def gauge(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(f"keyplex_{name}", says, value=value)


def gauges(name: str, says: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"keyplex_{name}", says, labels=[label])
    for label_value, value in values.items():
        family.add_metric([label_value], value)
    return family


def table(name: str, says: str, labels: Pair, values: Mapping[Pair, float]) -> Metric:
    """Gauges that are told apart by two labels."""
    family = GaugeMetricFamily(f"keyplex_{name}", says, labels=labels)
    for pair, value in values.items():
        family.add_metric(pair, value)
    return family


def histogram(
    name: str, says: str, label: str, values: Iterable[tuple[str, list[tuple[str, float]]]]
) -> Metric:
    """Of each label the buckets, that is how many took no longer than so many seconds."""
    family = HistogramMetricFamily(f"keyplex_{name}", says, labels=[label])
    for value, buckets in values:
        family.add_metric([value], buckets, sum_value=None)
    return family
