"""What passed through the gateway, for the operator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector


class GatewayCounts(Collector):
    """Counts since the server started; they belong to the gateway's loop.

    Attributes
    ----------
    kernels
        Kernels that are connected now.
    answers
        Events of kernels by what became of them: ``accepted`` by the broker, or for ``later``.
    dropped
        Messages of pages that kernels dropped, by reason.
    lists
        Lists handed out to kernels.
    refused
        Connections that were closed because of what came by them.
    """

    def __init__(self) -> None:
        self.kernels = self.lists = self.refused = 0
        self.answers: Counter[str] = Counter(accepted=0, later=0)
        self.dropped: Counter[str] = Counter()

    def collect(self) -> Iterator[Metric]:
        """Yield every metric as it is now."""
        yield GaugeMetricFamily("segue_gateway_kernels", "Kernels at the gateway.", value=self.kernels)
        yield CounterMetricFamily("segue_gateway_lists", "Lists handed to kernels.", value=self.lists)
        yield CounterMetricFamily(
            "segue_gateway_refused", "Connections closed for what came by them.", value=self.refused
        )
        for name, words, label, counted in (
            ("segue_gateway_events", "Events of listeners by what became of them.", "answer", self.answers),
            ("segue_page_messages_dropped", "Pages' messages that kernels dropped.", "reason", self.dropped),
        ):
            metric = CounterMetricFamily(name, words, labels=(label,))
            for value, number in sorted(counted.copy().items()):
                metric.add_metric((value,), number)
            yield metric
