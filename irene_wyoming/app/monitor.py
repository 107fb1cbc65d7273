"""Reads /metrics and summarises it for a person."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from irene_wyoming.errors import ServerUnavailable

Labels = frozenset[tuple[str, str]]

NOT_READY = 503

MAX_BYTES = 4_194_304
"""Most bytes of an answer. Our metrics take some 10 kB, so a larger one is something else."""


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one server."""

    server: str
    connections: int
    memory_mb: float
    lag_ms: float
    """Mean delay of its event loop since the last look, milliseconds."""
    refused: int
    restarts: int


@dataclass(frozen=True, slots=True)
class LastWord:
    """The wake word that was heard last."""

    word: str
    at: float
    """Time in seconds since the epoch."""
    score: float
    """The peak score, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One look at /metrics (samples by name and labels) and at /readyz."""

    samples: Mapping[tuple[str, Labels], float]
    unready: Mapping[str, str] = field(default_factory=dict)
    """Reasons why servers cannot be used now, by name; usable servers are not in it."""

    @property
    def last_word(self) -> LastWord | None:
        """The wake word that was heard last; None: there was none yet."""
        times, scores = self.by("irene_last_word_timestamp_seconds", "model"), self.by("irene_last_word_score", "model")
        if not times:
            return None
        word = max(times, key=lambda each: times[each])
        return LastWord(word, times[word], scores.get(word, 0.0))

    def empty(self) -> dict[str, float]:
        """Utterances with an empty transcript, by provider."""
        found: dict[str, float] = {}
        for (name, labels), value in self.samples.items():
            told = dict(labels)
            if name == "irene_transcripts_total" and told.get("result") == "empty":
                found[told["provider"]] = found.get(told["provider"], 0.0) + value
        return found

    def by(self, name: str, label: str) -> dict[str, float]:
        """A sample's values by one of its labels, summed over the others."""
        found: dict[str, float] = {}
        for (other, labels), value in self.samples.items():
            if other == name and (key := dict(labels).get(label)) is not None:
                found[key] = found.get(key, 0.0) + value
        return found

    def mean(self, name: str, label: str, before: "Figures | None" = None) -> dict[str, float]:
        """A histogram's mean by one of its labels, since an earlier look if it has counted since."""
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
        """The figures of each running server."""
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


def unready(url: str, timeout_s: float) -> dict[str, str]:
    """Read /readyz beside this /metrics, by server; blocks. Empty: all are ready, or it does not tell."""
    try:
        with urlopen(f"{url.removesuffix('/metrics')}/readyz", timeout=timeout_s):
            return {}
    except HTTPError as error:
        with error:
            lines = error.read(MAX_BYTES).decode(errors="replace").splitlines() if error.code == NOT_READY else []
        return {server: why for server, _, why in (line.partition(": ") for line in lines) if why}
    except (OSError, ValueError):
        return {}


def parse(text: str) -> Figures:
    """Parse the text of /metrics; raises ServerUnavailable where it is something else."""
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
    """Read the metrics once; blocks.

    :raises ServerUnavailable: nobody answers, or not with metrics.
    """
    try:
        with urlopen(url, timeout=timeout_s) as answer:
            return replace(parse(answer.read(MAX_BYTES).decode()), unready=unready(url, timeout_s))
    except (OSError, URLError, ValueError) as error:
        raise ServerUnavailable(f"{url}: {getattr(error, 'reason', error)}; is a server running there?") from error
