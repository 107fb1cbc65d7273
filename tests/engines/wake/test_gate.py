import gc
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.bench.engines import wake_engine as load
from irene_wyoming.engines.base import Hit, OnScore, Score, WakeEngine, WakeSession
from irene_wyoming.engines.wake.gate import (
    AGAIN_S,
    AGAIN_WITHIN_S,
    BEFORE_BLOCKS,
    BLOCK,
    LEAST_BEFORE_BLOCKS,
    LOOK_BLOCKS,
    STEPS,
    Again,
    GatedEngine,
    GatedSession,
)
from irene_wyoming.wire.hear import Recording

Speech = Callable[[str], Recording]


def noise(kind: str, frames: int, seed: int, dbfs: float) -> NDArray[np.float64]:
    """Steady noise of some colour."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=frames))
    hz = np.maximum(np.arange(len(spectrum)) * SPEECH.rate / frames, 20)
    sound = np.fft.irfft(spectrum / {"white": np.ones_like(hz), "pink": np.sqrt(hz), "brown": hz}[kind], frames)
    return np.asarray(sound / sound.std() * 2**15 * 10 ** (dbfs / 20))


def pcm(samples: NDArray[np.float64]) -> bytes:
    return np.rint(samples).clip(-(2**15), 2**15 - 1).astype("<i2").tobytes()


def spoken(recording: Recording, kind: str, dbfs: float, gain: float = 1.0) -> bytes:
    """A word in noise that starts 6 s before it and ends 2 s after it."""
    word = np.frombuffer(recording.pcm, "<i2") * gain
    heard = np.concatenate([np.zeros(6 * SPEECH.rate), word, np.zeros(2 * SPEECH.rate)])
    return pcm(heard + noise(kind, len(heard), 5, dbfs))


class Kept:
    """A WakeSession that keeps its audio and hears a word wherever it is loud."""

    needs = 7

    def __init__(self, on_score: OnScore | None = None) -> None:
        self.given = b""
        self.closed = False
        self._on_score = on_score

    def push(self, pcm: bytes) -> Sequence[Hit]:
        start = SPEECH.frames(len(self.given))
        self.given += pcm
        loud = np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2").astype(int)) > 20_000)
        hits = [Hit("loud", 1.0, start + int(frame)) for frame in loud]
        for hit in hits:
            if self._on_score is not None:
                self._on_score(Score("loud", 1.0, hit.frame))
        return hits

    def close(self) -> None:
        self.closed = True


def gated(on_score: OnScore | None = None) -> tuple[GatedSession, Kept]:
    inner: list[Kept] = []

    def make(shown: OnScore | None) -> WakeSession:
        inner.append(Kept(shown))
        return inner[0]

    return GatedSession(make, on_score), inner[0]


def click(seconds: float, at: float) -> bytes:
    """Silence with one loud sample."""
    sound = noise("white", round(seconds * SPEECH.rate), 1, -60)
    sound[round(at * SPEECH.rate)] = 30_000
    return pcm(sound)


@pytest.fixture(params=["openwakeword", "microwakeword"], scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[WakeEngine]:
    with closing(load(request.param)) as engine:
        yield engine


@pytest.mark.parametrize(
    ("kind", "dbfs", "gain"),
    [("white", -60, 1), ("white", -40, 1), ("pink", -45, 1), ("brown", -30, 1), ("white", -90, 0.003)],
)
def test_a_word_in_any_steady_noise_is_heard_where_it_would_have_been(
    engine: WakeEngine, speech: Speech, kind: str, dbfs: float, gain: float
) -> None:
    """microWakeWord's models remember more than two seconds, so their noise differs by a step."""
    sound = spoken(speech("wake/okay_nabu_rms"), kind, dbfs, gain)
    with closing(engine.session(["okay_nabu"])) as session:
        expected = session.push(sound)
    seconds: list[float] = []
    gate = GatedSession(lambda shown: engine.session(["okay_nabu"], on_score=shown), on_spared=seconds.append)
    with closing(gate):
        hits = gate.push(sound)
    assert [hit.model for hit in hits] == [hit.model for hit in expected] == ["okay_nabu"]
    assert hits[0].frame == pytest.approx(expected[0].frame, abs=0 if engine.name == "openwakeword" else 960)
    assert sum(seconds) > 1


def test_silence_and_a_fan_are_spared_and_speech_and_music_are_not(speech: Speech) -> None:
    command = pcm(np.tile(np.frombuffer(speech("asr/set_a_timer_for_five_minutes").pcm, "<i2").astype(float), 5))
    scale = np.concatenate([np.sin(np.arange(4000) * 2 * np.pi * hz / 16_000) for hz in (262, 294, 330, 349) * 10])
    for sound, most in (
        (bytes(20 * 32_000), 0.2),
        (pcm(noise("pink", 20 * 16_000, 3, -30)), 0.2),
        (pcm(noise("brown", 20 * 16_000, 4, -20)), 0.2),
        (command, 1),
        (pcm(scale * 3000), 1),
    ):
        gate, inner = gated()
        gate.push(sound)
        assert len(inner.given) <= most * len(sound)
        if most == 1:
            assert len(inner.given) == len(sound)


def test_what_is_heard_has_its_place_in_the_whole_stream() -> None:
    scores: list[Score] = []
    gate, inner = gated(scores.append)
    sound = click(20, at=15.01)
    (hit,) = gate.push(sound)
    assert hit.frame == round(15.01 * SPEECH.rate) == scores[0].frame
    assert len(inner.given) < len(sound) / 2


def test_the_engine_hears_what_was_before_and_its_steps_fall_where_they_would_have() -> None:
    gate, inner = gated()
    sound = click(20, at=15.01)
    gate.push(sound)
    loud = bytes([0x30, 0x75])  # 30,000
    place, given = sound.index(loud), inner.given.index(loud)
    assert (place - given) % (STEPS * BLOCK * SPEECH.frame_bytes) == 0
    before = BEFORE_BLOCKS * BLOCK * SPEECH.frame_bytes
    assert inner.given[given - before : given + 2] == sound[place - before : place + 2]


def test_a_closed_gate_looks_less_often_and_an_open_one_as_the_engine_wants() -> None:
    gate, _ = gated()
    assert gate.needs == 7
    gate.push(click(5, at=0))
    assert gate.needs == LOOK_BLOCKS * BLOCK - 5 * SPEECH.rate % BLOCK
    gate.push(click(1, at=0.5))
    assert gate.needs == 7


@settings(max_examples=30)
@given(st.lists(st.integers(1, 9000), min_size=1, max_size=60))
def test_what_the_engine_is_given_does_not_depend_on_the_cut(cuts: list[int]) -> None:
    sound = click(6, at=4.123) + click(5, at=3)
    whole, expected = gated()
    hits = whole.push(sound)
    gate, inner = gated()
    found: list[Hit] = []
    start = 0
    for frames in cuts:
        found += gate.push(sound[start : start + 2 * frames])
        start += 2 * frames
    found += gate.push(sound[start:])
    assert inner.given == expected.given
    assert found == hits


def test_a_closed_gate_looks_at_all_that_it_is_given() -> None:
    """A stream may end there: a client that stops after speech sends no more."""
    gate, inner = gated()
    gate.push(pcm(noise("white", 5 * SPEECH.rate, 1, -60)))
    before = len(inner.given)
    gate.push(click(0.2, at=0.13))
    assert len(inner.given) > before


def test_nobody_holds_a_closed_session(engine: WakeEngine) -> None:
    gc.disable()
    try:
        scores: list[Score] = []
        gate = GatedEngine(engine).session([engine.models()[0].name], on_score=scores.append)
        gate.push(bytes(32_000))
        gone = weakref.ref(gate)
        gate.close()
        del gate
        assert gone() is None
    finally:
        gc.enable()


def test_half_a_frame_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="3 bytes"):
        gated()[0].push(bytes(3))


def test_what_is_closed_is_closed_below(engine: WakeEngine) -> None:
    gate, inner = gated()
    gate.close()
    assert inner.closed
    around = GatedEngine(engine)
    assert (around.name, around.format, around.models()) == (engine.name, engine.format, engine.models())


class SlowMachine:
    """Rooms on a machine so slow that streams that hear again must share its time."""

    def __init__(self, rooms: int, block_s: float) -> None:
        self.now = 0.0
        self.again = Again(lambda: self.now)
        self._block_s = block_s
        for room in range(rooms):
            self.again.joined(room)

    def opens(self, room: int) -> int:
        """The number of blocks that a room hears again if its gate opens now."""
        blocks = self.again.blocks(room, BEFORE_BLOCKS)
        began = self.now
        self.now += blocks * self._block_s
        self.again.heard(room, blocks, began)
        return blocks


def test_gates_that_open_at_once_share_the_time_to_hear_again() -> None:
    """Eight rooms hear a door on a quarter of a core, where two seconds of audio take 0.15 s."""
    machine = SlowMachine(8, 0.0042)
    assert machine.opens(0) == BEFORE_BLOCKS  # nothing is known yet about the machine's speed
    machine.now += AGAIN_WITHIN_S
    began = machine.now
    heard = [machine.opens(room) for room in range(8)]
    assert max(heard) <= AGAIN_S / 0.0042 + STEPS  # the first room
    assert all(LEAST_BEFORE_BLOCKS <= blocks < LEAST_BEFORE_BLOCKS + STEPS for blocks in heard[1:])
    assert machine.now - began < 0.25  # 1.2 if each room heard all
    machine.now += AGAIN_WITHIN_S
    assert machine.opens(5) == heard[0]


def test_a_gate_alone_hears_all_again_however_often_and_who_left_costs_nothing() -> None:
    machine = SlowMachine(2, 0.02)
    machine.again.left(1)
    assert [machine.opens(0) for _ in range(5)] == [BEFORE_BLOCKS] * 5  # as for a recording that is sent fast
    machine.again.joined(1)
    assert machine.opens(1) < BEFORE_BLOCKS
    machine.again.left(0)
    assert machine.opens(1) == BEFORE_BLOCKS


def test_on_a_fast_machine_several_rooms_hear_all_again() -> None:
    machine = SlowMachine(8, 0.001)
    assert [machine.opens(room) for room in range(2)] == [BEFORE_BLOCKS] * 2
    assert machine.opens(2) >= BEFORE_BLOCKS / 2
