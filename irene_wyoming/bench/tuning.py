"""Measures the targets of docs/performance-tuning.md on this machine."""

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from statistics import median, quantiles

from irene_wyoming.audio import plans
from irene_wyoming.audio.clips import ClipCache
from irene_wyoming.audio.convert import Converter, converted
from irene_wyoming.audio.format import AudioFormat, Quality
from irene_wyoming.bench.engines import asr_engine, wake_engine
from irene_wyoming.bench.methods import method
from irene_wyoming.bench.quality import held
from irene_wyoming.bench.resample import cost
from irene_wyoming.bench.usage import resident_bytes
from irene_wyoming.engines.base import AsrRequest
from irene_wyoming.household.alone import alone
from irene_wyoming.wire.hear import Recording

SOURCE_HZ = 48_000
"""Source rate of most sound cards, Hz; the engines hear 16 kHz."""
CHUNK_MS = 20
STEP_S = {"wake": 0.08, "asr": 0.1}
"""Seconds of audio that a server gives an engine at a time: chunk_size of the default configuration."""
READERS = 10
"""Streams of one rate that begin one after the other, like a household's satellites."""
REPEATS = 3
"""Times that a whole recording is converted: once for each of three speech-to-text providers."""

SPEECH_ENGINE = "guided"
"""The default speech-to-text engine."""

VOICE_TRIGGER, ASR = "voice trigger", "speech-to-text"


@dataclass(frozen=True, slots=True)
class Target:
    """One row of the target table."""

    group: str
    server: str
    about: str
    limit: str
    value: str
    kept: bool | None
    """Whether it is met; None: that cannot be told here, and ``value`` says why."""


@dataclass(frozen=True, slots=True)
class Speed:
    """The cost of hearing a recording, from bytes of 48 kHz to a result."""

    cpu_per_s: float
    """CPU time per second of audio: the real-time factor on one core."""
    delay_ms: float
    """wake: 99th percentile of one chunk's delay. asr: median from the last audio to the text."""


def measure(word: Recording, command: Recording, rounds: int) -> list[Target]:
    """Measure all four groups, each engine in a fresh process: half a minute for 20 rounds.

    :param word: a spoken wake word, 16 kHz.
    :param command: a spoken command, 16 kHz.
    """
    return [*latency(rounds), *hearing(word, command, rounds), *memory(word, command), *caches(word)]


def latency(rounds: int) -> list[Target]:
    """Group 1: the delay that resampling adds to a live stream, by its filter and the CPU time of a chunk."""
    costs = alone(cost, [Quality.FAST, Quality.HIGH], SOURCE_HZ, 16_000, CHUNK_MS, max(2, rounds * 10))
    rows = []
    for server, level, limit in ((VOICE_TRIGGER, Quality.FAST, 100), (ASR, Quality.HIGH, 500)):
        behind = held(method(level), SOURCE_HZ, 16_000).max_ms
        ms = behind + costs[level].p99_us / 1_000
        about = f"latency of {level}, {SOURCE_HZ // 1_000} kHz, chunks of {CHUNK_MS} ms"
        rows.append(below("resampling latency", server, about, ms, limit, "ms", 2))
    return rows


def hearing(word: Recording, command: Recording, rounds: int) -> list[Target]:
    """Group 2: the whole way from a microphone's bytes to a result, on one core."""
    found = {VOICE_TRIGGER: alone(wake_speed, word, rounds), ASR: alone(asr_speed, command, rounds)}
    rows = []
    for server, factor, delay_ms, times in ((VOICE_TRIGGER, 0.1, 100, 10), (ASR, 1.0, 500, 2)):
        speed, group = found[server], "throughput"
        rows.append(below(group, server, "real-time factor", speed.cpu_per_s, factor, "", 3))
        rows.append(below(group, server, "latency, all processing", speed.delay_ms, delay_ms, "ms", 1))
        rows.append(above(group, server, "throughput on one core", 1 / speed.cpu_per_s, times, "x", 0))
    return rows


def memory(word: Recording, command: Recording) -> list[Target]:
    """Group 3: memory of a process with one engine and one stream, Python and numpy included."""
    rows = []
    runs = ((VOICE_TRIGGER, wake_memory, word, 50), (ASR, asr_memory, command, 200))
    for server, run, recording, limit in runs:
        taken = alone(run, recording)
        if taken is None:
            told = "this system does not tell a process's memory"
            rows.append(Target("memory", server, "engine and one stream", f"< {limit} MB", told, None))
        else:
            rows.append(below("memory", server, "engine and one stream", taken / 1e6, limit, "MB", 0))
    return rows


def caches(word: Recording) -> list[Target]:
    """Group 4: hit rates of the caches for live streams' filters and whole recordings."""
    streams, clips = alone(filter_hits), alone(clip_hits, word)
    return [
        above("cache", VOICE_TRIGGER, f"filters found, {READERS} streams", streams * 100, 30, "%", 0),
        above("cache", ASR, f"recordings found, converted {REPEATS} times", clips * 100, 60, "%", 0),
    ]


def wake_speed(word: Recording, rounds: int) -> Speed:
    """Let openWakeWord hear a word at 48 kHz again and again. For a process of its own."""
    pcm, source = at_source_rate(word)
    step = source.frame_bytes * round(source.rate * STEP_S["wake"])
    delays_ms: list[float] = []
    with closing(wake_engine("openwakeword")) as engine, closing(engine.session(["okay_nabu"])) as session:
        converter = Converter(source, engine.format, Quality.FAST)

        def hear() -> None:
            for at in range(0, len(pcm), step):
                began = time.perf_counter()
                session.push(converter.push(pcm[at : at + step]))
                delays_ms.append((time.perf_counter() - began) * 1_000)

        cpu_s = least_cpu(hear, rounds)
    return Speed(cpu_s / source.seconds(len(pcm)), quantiles(delays_ms, n=100, method="inclusive")[-1])


def asr_speed(command: Recording, rounds: int) -> Speed:
    """Let the default engine hear a command at 48 kHz again and again. For a process of its own."""
    pcm, source = at_source_rate(command)
    step = source.frame_bytes * round(source.rate * STEP_S["asr"])
    delays_ms: list[float] = []
    with closing(asr_engine(SPEECH_ENGINE)) as engine:

        def hear() -> None:
            with closing(engine.session(AsrRequest())) as session:
                converter = Converter(source, engine.format, Quality.HIGH)
                for at in range(0, len(pcm), step):
                    began = time.perf_counter()  # from the last chunk: the person has finished
                    session.push(converter.push(pcm[at : at + step]))
                session.push(converter.flush())
                session.finish()
                delays_ms.append((time.perf_counter() - began) * 1_000)

        cpu_s = least_cpu(hear, max(2, rounds // 4))
    return Speed(cpu_s / source.seconds(len(pcm)), median(delays_ms))


def wake_memory(word: Recording) -> int | None:
    with closing(wake_engine("openwakeword")) as engine, closing(engine.session(["okay_nabu"])) as session:
        session.push(word.pcm)
        return resident_bytes()


def asr_memory(command: Recording) -> int | None:
    with closing(asr_engine(SPEECH_ENGINE)) as engine, closing(engine.session(AsrRequest())) as session:
        session.push(command.pcm)
        session.finish()
        return resident_bytes()


def filter_hits() -> float:
    """Share of streams that find their filter computed, where several of one rate begin one after the other."""
    for _ in range(READERS):
        Converter(AudioFormat(SOURCE_HZ, 2, 1), AudioFormat(16_000, 2, 1), Quality.FAST)
    return plans.stats().hit_rate


def clip_hits(word: Recording) -> float:
    """Share of cached conversions of a whole recording, where several providers get it in turn."""
    pcm, source = at_source_rate(word)
    cache = ClipCache()
    for _ in range(REPEATS):
        cache.convert(pcm, source, replace(source, rate=16_000), Quality.HIGH)
    return cache.stats().hit_rate


def at_source_rate(recording: Recording) -> tuple[bytes, AudioFormat]:
    """The recording as a sound card of 48 kHz would deliver it."""
    source = replace(recording.format, rate=SOURCE_HZ)
    return converted(recording.pcm, recording.format, source, live=True), source


def least_cpu(call: Callable[[], object], rounds: int) -> float:
    """Least CPU seconds of the process over some rounds, since other work only adds to it. The first round fills caches
    and does not count.
    """
    spent = []
    for _ in range(rounds + 1):
        began = time.process_time()
        call()
        spent.append(time.process_time() - began)
    return min(spent[1:])


def below(group: str, server: str, about: str, value: float, limit: float, unit: str, places: int) -> Target:
    shown = f"{value:.{places}f} {unit}".strip()
    return Target(group, server, about, f"< {limit:g} {unit}".strip(), shown, value < limit)


def above(group: str, server: str, about: str, value: float, limit: float, unit: str, places: int) -> Target:
    shown = f"{value:.{places}f} {unit}".strip()
    return Target(group, server, about, f"> {limit:g} {unit}".strip(), shown, value > limit)


def by_group(targets: list[Target]) -> Mapping[str, list[Target]]:
    groups: dict[str, list[Target]] = {}
    for target in targets:
        groups.setdefault(target.group, []).append(target)
    return groups
