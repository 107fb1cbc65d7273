"""How well and how fast people are understood: recordings mixed with noise, played to a speech-to-text server."""

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
    """What was made of a recording. None: there was no transcript."""

    spoken: Spoken
    seconds: float
    """Length of the audio."""
    heard: HeardText | None
    failure: str = ""
    """Why there was none."""

    @property
    def first_partial_s(self) -> float | None:
        """From the first sound of speech to the first words told; None: none before the end of the audio."""
        if self.heard is None or self.heard.first_partial_s is None:
            return None
        return self.heard.first_partial_s - LEAD_S - start_of_speech(floats(self.spoken.pcm)) / SPEECH.rate

    @property
    def taken(self) -> bool:
        """Whether it was taken for a command: the transcript says so, or has text and does not say what it is."""
        return self.heard is not None and bool(self.heard.text) and self.heard.kind in ("command", None)

    @property
    def mistakes(self) -> list[str]:
        return self.spoken.mistakes(self.heard.text if self.heard else "")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured."""

    listener: str
    """``server``: one of our own; an address; ``sherpa-onnx``."""
    program: str
    folder: str
    condition: Condition
    clients: int = 1
    realtime: bool = False
    """At the pace of speech, instead of as fast as the audio is taken."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What it took. None: a server on another machine, or another user's."""

    rtf: float | None = None
    """CPU time over the length of the audio."""
    memory_mb: float | None = None
    """In RAM, with engines in processes of their own (RSS)."""
    proportional_mb: float | None = None
    """The same, where a page that n processes share counts as 1/n (PSS)."""


@dataclass(frozen=True, slots=True)
class AsrRow:
    """One program, one folder, one condition. Shares are 0 to 1; None where there was nothing to count or to time."""

    listener: str
    program: str
    folder: str
    noise: str
    snr_db: float | None
    level_dbfs: float | None
    tail_s: float | None
    """Silence after the speech; None: the audio ends with the last word."""
    clients: int
    realtime: bool
    recordings: int
    failed: int
    """Recordings to which there was no transcript."""
    failure: str
    """Why there was none to the first of them."""
    exact: float | None
    """Share of the commands and sentences of which every slot is right, or every word but articles."""
    slots: float | None
    """Share of all slots that are in the transcripts with their values, whatever else is in them."""
    accepted: float | None
    """Share of them that was taken for a command, right or wrong."""
    wrong: float | None
    """Share of them that was taken for another command."""
    wrong_kinds: Mapping[str, int]
    """How those differ: opposites such as ``on/off``, ``number``, ``words``, or slots. One may have several."""
    rejected: float | None
    """Share of other speech that was not taken for a command."""
    wer: float | None
    """Word error rate: words wrong, missing or too many, over those spoken, numbers as words."""
    after_p50_ms: float | None
    """From the end of the audio to its transcript."""
    after_p95_ms: float | None
    first_partial_p50_ms: float | None
    """At the pace of speech: from the first sound of speech to the first words of the transcript, where any came before
    the end of the audio."""
    rtf: float | None
    memory_mb: float | None
    proportional_mb: float | None


async def programs(address: Address) -> list[str]:
    """Those that can be used.

    :raises ServerUnavailable: nobody answers, or there are none.
    """
    names = [program.name for program in (await describe(address)).asr if program.installed]
    if not names:
        raise ServerUnavailable(f"{address.uri} has no speech-to-text")
    return names


def sounds(folder: Folder, condition: Condition) -> list[bytes]:
    """Every recording of a folder as it is heard under a condition."""
    return [mixed(one.pcm, condition, one.name) for one in folder.spoken]


async def measure(
    address: Address, subject: Subject, folder: Folder, *, process: Family | None = None
) -> tuple[AsrRow, list[Answer]]:
    """Play a folder to one program, ``subject.clients`` recordings at a time.

    :param process: the server's, where it is on this machine; its CPU time and memory are then told.
    """
    audio = await asyncio.to_thread(sounds, folder, subject.condition)
    before_s = await asyncio.to_thread(process.cpu_s) if process else 0.0
    answers = await played(address, subject, list(zip(folder.spoken, audio, strict=True)))
    cost = await asyncio.to_thread(cost_of, process, before_s, answers) if process else Cost()
    return summed_up(subject, answers, cost), answers


async def played(address: Address, subject: Subject, sounds: Sequence[tuple[Spoken, bytes]]) -> list[Answer]:
    """All of them, as many at a time as there are clients."""
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
    """The figures of one run."""
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
    """Over the recordings whose text is known; None: there are none."""
    pairs = [
        (compared(answer.spoken.text).split(), compared(answer.heard.text).split())
        for answer in answers
        if answer.spoken.text and answer.heard
    ]
    words = sum(len(said) for said, _ in pairs)
    return sum(distance(said, heard) for said, heard in pairs) / words if words else None


def percentile(values: Sequence[float], share: float) -> float | None:
    """Of sorted values: the smallest that ``share`` of them do not exceed; None: there are none."""
    return values[math.ceil(share * len(values)) - 1] if values else None
