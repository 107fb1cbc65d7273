"""What measurements return: one frozen row per thing measured, every figure with its unit in the name."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """CPU time of one call, microseconds, over many rounds. Each round is the mean of some calls in a row."""

    least_us: float
    """The quiet figure: what else the machine does can only add to it."""
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
    """How much later than in the input a sound stands in the output: 0 where the method keeps sounds in place."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """What a conversion does to tones, dB. None: the source has no such tones."""

    alias_from_9k_db: float | None
    """How far the loudest remainder of any tone from 9 kHz up lies below that tone ..."""
    alias_from_10k_db: float | None
    """... and from 10 kHz up."""
    ripple_db: float
    """Largest deviation from the right level, up to 7 kHz or seven eighths of the source's band."""
    snr_1k_db: float
    """A tone of 16 bit at -1 dB to everything else that comes out in 16 bit."""
    snr_6k_db: float | None


@dataclass(frozen=True, slots=True)
class MethodRow:
    """One way to convert, at one rate."""

    method: str
    source_rate: int
    target_rate: int
    cost: Mapping[int, Timing]
    """By length of chunk, ms."""
    held: Held
    fidelity: Fidelity
    stream_bytes: int | None
    """Memory that one more stream takes; None: not measured, or this system does not tell."""


@dataclass(frozen=True, slots=True)
class ImportRow:
    """What an import costs a fresh interpreter."""

    module: str
    ms: float
    heavy: tuple[str, ...]
    """Which of the packages that are slow to load came with it."""


@dataclass(frozen=True, slots=True)
class RecallRow:
    """Wake words heard in a set of recordings with something above the band of speech mixed in."""

    engine: str
    method: str
    added: str
    level_db: float
    """Of what is added, relative to the speech."""
    spoken: int
    heard: tuple[str, ...]
    """Recordings whose word was heard."""
    others: tuple[str, ...]
    """``recording: word`` that was heard though not spoken there."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How something spreads over many tries, milliseconds. None: there was no try."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    tries: int


@dataclass(frozen=True, slots=True)
class WakeRow:
    """Satellites that say a word every 4 s, and what hears them."""

    listener: str
    """``bare engine``: a loop on one thread that calls it; ``server``; or the address of another server."""
    engine: str
    satellites: int
    chunk_ms: int
    cpu_ms_per_s: float | None
    """CPU time of the whole process per second of one satellite's audio; None: it is not ours to ask."""
    spoken: int
    heard: int
    false: int
    """Detections of something else, or of one word twice."""
    delay: Spread
    """From the end of the word to its Detection."""
    describe: Spread | None
    """A description over a new connection meanwhile; None for the bare engine."""
    resident_mb: float | None
    """Memory at the end."""


@dataclass(frozen=True, slots=True)
class SpeedRow:
    """Audio taken as fast as it goes, CPU time per second of audio."""

    engine: str
    satellites: int
    chunk_ms: int
    bare_ms_per_s: float
    server_ms_per_s: float

    @property
    def per_core(self) -> float:
        """Satellites that one core has time for."""
        return 1_000 / self.server_ms_per_s

    @property
    def of_bare(self) -> float:
        """The server's throughput as a part of the bare engine's."""
        return self.bare_ms_per_s / self.server_ms_per_s


@dataclass(frozen=True, slots=True)
class StartRow:
    """What beginning costs: CPU time of the server."""

    engine: str
    first_ms: float
    """``audio-start`` and the audio of one step, from a client that has asked before."""
    steady_ms: float
    """The audio of one more step."""
    connect_ms: float
    """A connection that asks for nothing."""
    describe_ms: float
    """A connection that asks for a description."""


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """Memory that lies in RAM of a server with one engine and no second look.

    Where ``pss`` is said, a page that several processes share counts in parts, as it does for the whole machine; the
    measuring process is one of them. Elsewhere it counts in full.
    """

    engine: str
    started_mb: float
    started_pss_mb: float
    listening_mb: float
    """With ``satellites`` that listen."""
    listening_pss_mb: float
    satellites: int
    growth_mb: float
    """Over ``connects`` conversations of a word each, after as many tenths to warm up."""
    connects: int


@dataclass(frozen=True, slots=True)
class Gate:
    """A promise of the project, and whether this machine keeps it."""

    about: str
    limit: str
    value: str
    kept: bool | None
    """None: cannot be told here; ``value`` says why."""


@dataclass(frozen=True, slots=True)
class FleetRow:
    """What clients of several servers behind a proxy went through in one phase."""

    phase: str
    seconds: float
    satellites: int
    words: int
    words_lost: int
    word_delay: Spread
    """From the end of a word to its detection."""
    commands: int
    commands_lost: int
    command_delay: Spread
    """From the end of a command to its transcript."""
    describe: Spread
    """Descriptions through the proxy."""
    disturbed: int
    """Satellites that were let go, or lost their server."""
    hung_on: int
    """Satellites of the server that was killed; 0 where none was."""
    back_s: float
    """The longest time in which one of them was not listened to."""
    held_up_s: float
    """By how much a satellite was late at most, since the measuring process had no processor; 0: not notably."""
    taken: Mapping[str, int]
    """Connections that each server got."""


@dataclass(frozen=True, slots=True)
class ScaleRow:
    """What satellites cost on several servers, each on a core of its own."""

    servers: int
    satellites: int
    cpu_ms_per_s: float
    """CPU time of all servers per second of one satellite's audio."""
    proxy_ms_per_s: float
    """CPU time of HAProxy per second of one satellite's audio."""
    words: int
    heard: int
    delay: Spread
