import sys
from pathlib import Path

import numpy as np
import pytest

from irene_wyoming.audio.format import SPEECH, AudioFormat, Quality
from irene_wyoming.capture.base import Source
from irene_wyoming.capture.gain import Gain
from irene_wyoming.capture.staged import StagedSource
from irene_wyoming.capture.wavfile import WavFileSource
from irene_wyoming.capture.webrtc import NoiseGain
from irene_wyoming.errors import CaptureError
from tests.capture.wavs import wav
from tests.conftest import SPEECH_DIR, read_wav

WORD = SPEECH_DIR / "wake" / "okay_nabu_rms.wav"


async def heard(source: Source, seconds: float) -> tuple[AudioFormat, bytes, list[int]]:
    """Format, audio and the start of each chunk."""
    pcm, starts = b"", []
    async with source.open() as capture:
        async for chunk in capture:
            assert chunk.format == capture.format
            pcm += chunk.pcm
            starts.append(chunk.start)
            if capture.format.seconds(len(pcm)) >= seconds:
                return capture.format, pcm, starts
    raise AssertionError("ended")


@pytest.mark.parametrize("gain_db", [-20.0, 6.0, 60.0])
async def test_gain_multiplies_and_clips_without_rounding_to_16_bit(gain_db: float) -> None:
    plain = WavFileSource(WORD, realtime=False)
    form, pcm, _ = await heard(StagedSource(plain, lambda source: Gain(source, gain_db)), 1)
    assert form == AudioFormat(16_000, 4, 1)
    louder = np.frombuffer(pcm, "<i4") / 2**31
    expected = np.frombuffer(read_wav(WORD).pcm[: len(pcm) // 2], "<i2") / 2**15 * 10 ** (gain_db / 20)
    assert louder == pytest.approx(np.clip(expected, -1, 1), abs=1e-9)


async def test_webrtc_lowers_noise_and_keeps_the_stream_whole(tmp_path: Path) -> None:
    pytest.importorskip("webrtc_noise_gain", reason="webrtc-noise-gain is not installed")
    noise = np.random.default_rng(4).normal(size=(4 * 48_000, 2)) * 500
    (tmp_path / "noise.wav").write_bytes(wav(AudioFormat(48_000, 2, 2), noise.astype("<i2").tobytes()))
    plain = WavFileSource(tmp_path / "noise.wav", realtime=False)
    clean = StagedSource(plain, lambda _: NoiseGain(2, 0, Quality.FAST, "mean"))
    form, pcm, starts = await heard(clean, 4)
    assert form == SPEECH
    assert starts == list(range(0, 160 * len(starts), 160))
    last_second = np.frombuffer(pcm, "<i2")[-16_000:].astype(float)
    in_band = 500 / np.sqrt(2) / np.sqrt(3)  # of two channels, and of 24 kHz what 8 kHz take
    assert np.sqrt(np.mean(last_second**2)) < in_band / 2


def test_without_webrtc_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "webrtc_noise_gain", None)
    with pytest.raises(CaptureError, match=r"pip install irene-wyoming\[webrtc\]"):
        NoiseGain(1, 0, Quality.FAST, "mean")
