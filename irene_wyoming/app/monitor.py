"""What /metrics says, put together for a person."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.error import URLError
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from irene_wyoming.errors import ServerUnavailable

Labels = frozenset[tuple[str, str]]

MAX_BYTES = 4_194_304
"""All our figures take some 10 kB; whatever is larger is something else."""


@dataclass(frozen=True, slots=True)
class Row:
    """One server."""

    server: str
    connections: int
    memory_mb: float
    lag_ms: float
    """How late its event loop was, on the mean since the last look."""
    refused: int
    restarts: int


@dataclass(frozen=True, slots=True)
class Figures:
    """One look at /metrics: samples by name and labels."""

    samples: Mapping[tuple[str, Labels], float]

    def by(self, name: str, label: str) -> dict[str, float]:
        """A sample's values by one of its labels, the others added up."""
        found: dict[str, float] = {}
        for (other, labels), value in self.samples.items():
            if other == name and (key := dict(labels).get(label)) is not None:
                found[key] = found.get(key, 0.0) + value
        return found

    def mean(self, name: str, label: str, before: "Figures | None" = None) -> dict[str, float]:
        """A histogram's mean by one of its labels, since an earlier look if there is one and something came since."""
        means = {}
        sums, counts = self.by(f"{name}_sum", label), self.by(f"{name}_count", label)
        old_sums = before.by(f"{name}_sum", label) if before else {}
        old_counts = before.by(f"{name}_count", label) if before else {}
        for key, count in counts.items():
            more = count - old_counts.get(key, 0.0)
            if more > 0:
                means[key] = (sums[key] - old_sums.get(key, 0.0)) / more
            elif count:
                means[key] = sums[key] / count
        return means

    def rows(self, before: "Figures | None" = None) -> list[Row]:
        """What each server that runs is like now."""
        connections, refused = self.by("irene_connections", "server"), self.by("irene_refused_total", "server")
        restarts, lag = self.by("irene_restarts_total", "server"), self.mean("irene_loop_lag_seconds", "server", before)
        return [
            Row(
                server,
                int(connections.get(server, 0)),
                size / 1e6,
                lag.get(server, 0.0) * 1000,
                int(refused.get(server, 0)),
                int(restarts.get(server, 0)),
            )
            for server, size in sorted(self.by("irene_resident_bytes", "server").items())
        ]


def parse(text: str) -> Figures:
    """:raises ServerUnavailable: this is not what /metrics says."""
    try:
        return Figures(
            {
                (sample.name, frozenset(sample.labels.items())): sample.value
                for family in text_string_to_metric_families(text)
                for sample in family.samples
            }
        )
    except ValueError as error:
        raise ServerUnavailable(f"no figures come from there: {error}") from error


def fetch(url: str, timeout_s: float = 5.0) -> Figures:
    """Look once; blocks.

    :raises ServerUnavailable: nobody answers, or not with figures.
    """
    try:
        with urlopen(url, timeout=timeout_s) as answer:
            return parse(answer.read(MAX_BYTES).decode())
    except (OSError, URLError, ValueError) as error:
        raise ServerUnavailable(f"{url}: {getattr(error, 'reason', error)}; is a server running there?") from error
