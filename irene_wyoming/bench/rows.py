"""Rows of results: one frozen dataclass per measured thing, with units in the names of figures."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """CPU time of one call, microseconds, over many rounds. Each round is the mean of several calls."""

    least_us: float
    """The least time: other work of the machine can only add to it."""
    median_us: float
    p99_us: float
    rounds: int


@dataclass(frozen=True, slots=True)
class Held:
    """Audio that a stream has taken but not given, milliseconds, over pushes of 1 to 20 ms."""

    min_ms: float
    mean_ms: float
    max_ms: float
    shift_ms: float
    """Delay of sounds in the output: 0 where the method keeps them in place."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """A conversion's effect on tones, dB. None: the source has no such tones."""

    alias_from_9k_db: float | None
    """Decibels from any tone from 9 kHz up to its loudest remainder."""
    alias_from_10k_db: float | None
    """Decibels from any tone from 10 kHz up to its loudest remainder."""
    ripple_db: float
    """Largest deviation from the right level, up to 7 kHz or seven eighths of the source's band."""
    snr_1k_db: float
    """Decibels from a 16-bit tone at -1 dB down to everything else in the 16-bit output."""
    snr_6k_db: float | None


@dataclass(frozen=True, slots=True)
class MethodRow:
    """One conversion method at one rate."""

    method: str
    source_rate: int
    target_rate: int
    cost: Mapping[int, Timing]
    """Cost by length of chunk, ms."""
    held: Held
    fidelity: Fidelity
    stream_bytes: int | None
    """Bytes that one more stream takes; None: not measured, or unknown on this system."""


@dataclass(frozen=True, slots=True)
class ImportRow:
    """The cost of an import in a fresh interpreter."""

    module: str
    ms: float
    heavy: tuple[str, ...]
    """Slow packages that were loaded with it."""


@dataclass(frozen=True, slots=True)
class RecallRow:
    """Wake words heard in recordings with an addition above the band of speech."""

    engine: str
    method: str
    added: str
    level_db: float
    """Level of the addition relative to the speech, dB."""
    spoken: int
    heard: tuple[str, ...]
    """Recordings whose word was heard."""
    others: tuple[str, ...]
    """Wrong detections as ``recording: word``."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The spread of a figure over many tries, milliseconds. None: there was no try."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    tries: int


@dataclass(frozen=True, slots=True)
class WakeRow:
    """Figures of satellites that say a word every 4 s."""

    listener: str
    """``bare engine`` (called in a loop on one thread), ``server``, or the address of another server."""
    engine: str
    satellites: int
    chunk_ms: int
    cpu_ms_per_s: float | None
    """CPU time of the whole process per second of one satellite's audio; None: it cannot be read."""
    spoken: int
    heard: int
    false: int
    """Detections of something else, or of one word twice."""
    delay: Spread
    """Delay from the end of a word to its Detection."""
    describe: Spread | None
    """Time of a description over a new connection meanwhile; None for the bare engine."""
    resident_mb: float | None
    """Memory at the end, megabytes."""


@dataclass(frozen=True, slots=True)
class SpeedRow:
    """Throughput: CPU time per second of audio that is taken as fast as possible."""

    engine: str
    satellites: int
    chunk_ms: int
    bare_ms_per_s: float
    server_ms_per_s: float

    @property
    def per_core(self) -> float:
        """Number of satellites that one core has time for."""
        return 1_000 / self.server_ms_per_s

    @property
    def of_bare(self) -> float:
        """The server's throughput as a share of the bare engine's."""
        return self.bare_ms_per_s / self.server_ms_per_s


@dataclass(frozen=True, slots=True)
class StartRow:
    """The server's CPU time for beginnings."""

    engine: str
    first_ms: float
    """Time for ``audio-start`` and the audio of one step, from a client that has asked before."""
    steady_ms: float
    """Time for the audio of one more step."""
    connect_ms: float
    """Time for a connection that asks for nothing."""
    describe_ms: float
    """Time for a connection that asks for a description."""


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """Memory in RAM of a server with one engine and without a second look.

    In ``pss`` figures a page shared by several processes, the measuring one included, counts in parts. Elsewhere it
    counts in full.
    """

    engine: str
    started_mb: float
    started_pss_mb: float
    listening_mb: float
    """Memory with ``satellites`` listening satellites, megabytes."""
    listening_pss_mb: float
    satellites: int
    growth_mb: float
    """Growth over ``connects`` conversations of a word each, after a tenth as many to warm up."""
    connects: int


@dataclass(frozen=True, slots=True)
class Gate:
    """A promise of the project, and whether this machine keeps it."""

    about: str
    limit: str
    value: str
    kept: bool | None
    """Whether it is kept; None: that cannot be told here, and ``value`` says why."""


@dataclass(frozen=True, slots=True)
class FleetRow:
    """Figures of clients of several servers behind a proxy, in one phase."""

    phase: str
    seconds: float
    satellites: int
    words: int
    words_lost: int
    word_delay: Spread
    """Delay from the end of a word to its detection."""
    commands: int
    commands_lost: int
    command_delay: Spread
    """Delay from the end of a command to its transcript."""
    describe: Spread
    """Times of descriptions through the proxy."""
    disturbed: int
    """Satellites that were let go, or lost their server."""
    hung_on: int
    """Satellites of the server that was killed; 0 where none was."""
    back_s: float
    """The longest time, s, in which one of these satellites was not listened to."""
    held_up_s: float
    """Most seconds by which a satellite was late because the measuring process lacked the processor; 0: hardly any."""
    taken: Mapping[str, int]
    """Connections that each server got."""


@dataclass(frozen=True, slots=True)
class ScaleRow:
    """The cost of satellites on several servers, each on a core of its own."""

    servers: int
    satellites: int
    cpu_ms_per_s: float
    """CPU time of all servers per second of one satellite's audio."""
    proxy_ms_per_s: float
    """CPU time of HAProxy per second of one satellite's audio."""
    words: int
    heard: int
    delay: Spread
