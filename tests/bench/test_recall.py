"""Wake words beside noise and tones above the band of speech, at every quality level."""

import numpy as np
import pytest

from irene_wyoming.bench import recall
from irene_wyoming.bench.methods import LINEAR, LIVE_LEVELS
from irene_wyoming.bench.recall import BRICK_WALL, NOISE, SOURCE, TONES, Added, Spoken
from irene_wyoming.bench.rows import RecallRow
from tests.conftest import SPEECH_DIR, read_wav

LEAD_S = 0.3


def spoken() -> list[Spoken]:
    paths = sorted((SPEECH_DIR / "wake").glob("*.wav"))
    return [Spoken(path.stem, path.stem.rpartition("_")[0], read_wav(path).pcm).after(LEAD_S) for path in paths]


def test_openwakeword_hears_at_each_level_what_it_hears_through_an_ideal_filter() -> None:
    rows = recall.measure(["openwakeword"], [*LIVE_LEVELS, LINEAR], spoken(), [Added(NOISE, 10)])
    heard = {row.method: row.heard for row in rows}
    assert len(heard[BRICK_WALL]) == len(spoken())
    assert [heard[level] for level in LIVE_LEVELS] == [heard[BRICK_WALL]] * len(LIVE_LEVELS)
    assert len(heard[LINEAR]) <= 4
    assert not any(row.others for row in rows)


def test_microwakeword_hears_at_each_level_what_it_hears_through_an_ideal_filter() -> None:
    # this one is heard by chance only
    sure = [word for word in spoken() if not word.name.startswith("hey_mycroft_kal16")]
    rows = recall.measure(["microwakeword"], [*LIVE_LEVELS, LINEAR], sure, [Added(NOISE, 0), Added(TONES, 10)])
    assert [(row.method, row.added) for row, _ in recall.worse(rows)] == [(LINEAR, NOISE), (LINEAR, TONES)]
    assert [len(row.heard) for row in rows if row.method == BRICK_WALL] == [rows[0].spoken] * 2


@pytest.mark.parametrize("kind", [NOISE, TONES])
def test_what_is_added_lies_above_the_band_and_is_as_loud_as_asked(kind: str) -> None:
    word = spoken()[0]
    pcm = recall.mixed(word, Added(kind, 10))
    samples = np.frombuffer(pcm, "<i2") / 2**15
    assert np.abs(samples).max() < 1
    spectrum = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / SOURCE.rate)
    low, high = spectrum[hz < 8_000].sum(), spectrum[hz >= 8_000].sum()
    assert 10 * np.log10(high / low) > 10  # more, as speech pauses


def test_the_brick_wall_leaves_what_is_below_and_nothing_of_what_is_above() -> None:
    time = np.arange(SOURCE.rate) / SOURCE.rate
    below, above = np.sin(2 * np.pi * 7_900 * time), np.sin(2 * np.pi * 8_100 * time)
    expected = np.sin(2 * np.pi * 7_900 * np.arange(16_000) / 16_000)
    np.testing.assert_allclose(recall.resized(below + above, SOURCE.rate, 16_000), expected, atol=1e-9)
    np.testing.assert_allclose(recall.resized(expected, 16_000, SOURCE.rate), below, atol=1e-9)


def test_worse_is_who_loses_a_word_or_makes_one_up() -> None:
    def row(method: str, heard: str, *others: str) -> RecallRow:
        return RecallRow("e", method, NOISE, 0, 3, tuple(heard), others)

    rows = [row(BRICK_WALL, "ab"), row("same", "ab"), row("more", "abc"), row("less", "bc"), row("false", "ab", "a: x")]
    assert [(found.method, names) for found, names in recall.worse(rows)] == [("less", ("a",)), ("false", ("a: x",))]
