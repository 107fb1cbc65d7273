"""Measures how well and how fast people are understood: recordings with noise, played to a server."""

import asyncio
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.bench.mixing import LEAD_S, Condition, floats, mixed, start_of_speech
from irene_wyoming.bench.people import Folder, Spoken
from irene_wyoming.bench.usage import Family
from irene_wyoming.bench.verdict import compared, distance
from irene_wyoming.errors import IreneError, ServerUnavailable
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import describe
from irene_wyoming.wire.hear import HeardText, Recording, transcribe

OWN = "server"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a recording; ``heard`` is None where there was no transcript."""

    spoken: Spoken
    seconds: float
    """Length of the audio, seconds."""
    heard: HeardText | None
    failure: str = ""
    """The reason why there was no transcript."""

    @property
    def first_partial_s(self) -> float | None:
        """Seconds from the first sound of speech to the first partial text; None: none before the end of the audio."""
        if self.heard is None or self.heard.first_partial_s is None:
            return None
        return self.heard.first_partial_s - LEAD_S - start_of_speech(floats(self.spoken.pcm)) / SPEECH.rate

    @property
    def taken(self) -> bool:
        """Whether it was taken for a command: the transcript says so, or has text and does not tell its kind."""
        return self.heard is not None and bool(self.heard.text) and self.heard.kind in ("command", None)

    @property
    def mistakes(self) -> list[str]:
        return self.spoken.mistakes(self.heard.text if self.heard else "")


@dataclass(frozen=True, slots=True)
class Subject:
    """The server, program and condition of a measurement."""

    listener: str
    """The measured server: ``server`` (our own), an address, or ``sherpa-onnx``."""
    program: str
    folder: str
    condition: Condition
    clients: int = 1
    realtime: bool = False
    """Whether audio is sent at the pace of speech, instead of as fast as it is taken."""


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU time and memory of a run. None: the server is on another machine, or another user's."""

    rtf: float | None = None
    """Real-time factor: CPU time over the length of the audio."""
    memory_mb: float | None = None
    """Megabytes of memory in RAM (RSS), with engines in processes of their own."""
    proportional_mb: float | None = None
    """Megabytes of memory where a page that n processes share counts as 1/n (PSS)."""


@dataclass(frozen=True, slots=True)
class AsrRow:
    """One program, folder and condition. Shares are 0 to 1; None where there was nothing to count or to time."""

    listener: str
    program: str
    folder: str
    noise: str
    snr_db: float | None
    level_dbfs: float | None
    tail_s: float | None
    """Seconds of silence after the speech; None: the audio ends with the last word."""
    clients: int
    realtime: bool
    recordings: int
    failed: int
    """Number of recordings without a transcript."""
    failure: str
    """The reason for the first of them."""
    exact: float | None
    """Share of commands with all slots right, or of sentences with all words but articles right."""
    slots: float | None
    """Share of all slots whose values are in the transcripts."""
    accepted: float | None
    """Share of commands that were taken for a command, right or wrong."""
    wrong: float | None
    """Share of commands that were taken for another command."""
    wrong_kinds: Mapping[str, int]
    """Counts of wrong commands by kind: opposites such as ``on/off``, ``number``, ``words``, or slots. One may have
    several.
    """
    rejected: float | None
    """Share of other speech that was not taken for a command."""
    wer: float | None
    """Word error rate: words wrong, missing or added, over those spoken; numbers as words."""
    after_p50_ms: float | None
    """Milliseconds from the end of the audio to its transcript, median."""
    after_p95_ms: float | None
    first_partial_p50_ms: float | None
    """Milliseconds from the first sound of speech to the first partial text, median, at the pace of speech."""
    rtf: float | None
    memory_mb: float | None
    proportional_mb: float | None


async def programs(address: Address) -> list[str]:
    """List the programs of a server that can be used.

    :raises ServerUnavailable: nobody answers, or there is no program.
    """
    names = [program.name for program in (await describe(address)).asr if program.installed]
    if not names:
        raise ServerUnavailable(f"{address.uri} has no speech-to-text")
    return names


def sounds(folder: Folder, condition: Condition) -> list[bytes]:
    """The recordings of a folder under a condition."""
    return [mixed(one.pcm, condition, one.name) for one in folder.spoken]


async def measure(
    address: Address, subject: Subject, folder: Folder, *, process: Family | None = None
) -> tuple[AsrRow, list[Answer]]:
    """Play a folder to one program, ``subject.clients`` recordings at a time.

    :param process: the server's process on this machine, whose CPU time and memory are measured.
    """
    audio = await asyncio.to_thread(sounds, folder, subject.condition)
    before_s = await asyncio.to_thread(process.cpu_s) if process else 0.0
    answers = await played(address, subject, list(zip(folder.spoken, audio, strict=True)))
    cost = await asyncio.to_thread(cost_of, process, before_s, answers) if process else Cost()
    return summed_up(subject, answers, cost), answers


async def played(address: Address, subject: Subject, sounds: Sequence[tuple[Spoken, bytes]]) -> list[Answer]:
    """Play all recordings, with as many at a time as there are clients."""
    waiting = list(sounds)
    answers: list[Answer] = []

    async def speak() -> None:
        while waiting:
            spoken, pcm = waiting.pop(0)
            recording = Recording(SPEECH, pcm)
            try:
                heard = await transcribe(address, recording, realtime=subject.realtime, program=subject.program)
            except (IreneError, OSError) as error:
                answers.append(Answer(spoken, recording.seconds, None, str(error)))
            else:
                answers.append(Answer(spoken, recording.seconds, heard))

    await asyncio.gather(*(speak() for _ in range(subject.clients)))
    return answers


def cost_of(process: Family, before_s: float, answers: Sequence[Answer]) -> Cost:
    seconds = sum(answer.seconds for answer in answers)
    used = (process.cpu_s() - before_s) / seconds
    return Cost(used, process.resident_bytes() / 1e6, process.proportional_bytes() / 1e6)


def summed_up(subject: Subject, answers: Sequence[Answer], cost: Cost) -> AsrRow:
    """Compute the figures of one run."""
    answered = [answer for answer in answers if answer.heard is not None]
    commands = [answer for answer in answered if answer.spoken.command]
    others = [answer for answer in answered if not answer.spoken.command]
    wrong = [answer for answer in commands if answer.taken and answer.mistakes]
    delays = sorted(answer.heard.delay_s * 1000 for answer in answered if answer.heard)
    firsts = sorted(1000 * first for a in answered if subject.realtime and (first := a.first_partial_s) is not None)
    condition = subject.condition
    return AsrRow(
        listener=subject.listener,
        program=subject.program,
        folder=subject.folder,
        noise=condition.noise_name,
        snr_db=condition.snr_db,
        level_dbfs=condition.level_dbfs,
        tail_s=condition.tail_s,
        clients=subject.clients,
        realtime=subject.realtime,
        recordings=len(answers),
        failed=len(answers) - len(answered),
        failure=next((answer.failure for answer in answers if answer.heard is None), ""),
        exact=share(commands, [answer for answer in commands if not answer.mistakes]),
        slots=share_of_slots(commands),
        accepted=share(commands, [answer for answer in commands if answer.taken]),
        wrong=share(commands, wrong),
        wrong_kinds=dict(Counter(kind for answer in wrong for kind in answer.mistakes).most_common()),
        rejected=share(others, [answer for answer in others if not answer.taken]),
        wer=word_error_rate(answered),
        after_p50_ms=percentile(delays, 0.5),
        after_p95_ms=percentile(delays, 0.95),
        first_partial_p50_ms=percentile(firsts, 0.5),
        rtf=cost.rtf,
        memory_mb=cost.memory_mb,
        proportional_mb=cost.proportional_mb,
    )


def share(of: Sequence[Answer], some: Sequence[Answer]) -> float | None:
    return len(some) / len(of) if of else None


def share_of_slots(answers: Sequence[Answer]) -> float | None:
    slots = sum(len(answer.spoken.slots or {}) for answer in answers)
    right = sum(answer.spoken.slots_right(answer.heard.text) for answer in answers if answer.heard)
    return right / slots if slots else None


def word_error_rate(answers: Sequence[Answer]) -> float | None:
    """Word error rate over the recordings whose text is known; None: there are none."""
    pairs = [
        (compared(answer.spoken.text).split(), compared(answer.heard.text).split())
        for answer in answers
        if answer.spoken.text and answer.heard
    ]
    words = sum(len(said) for said, _ in pairs)
    return sum(distance(said, heard) for said, heard in pairs) / words if words else None


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest of sorted values that ``share`` of them do not exceed; None: there are none."""
    return values[math.ceil(share * len(values)) - 1] if values else None
