"""Convert each wav file of a folder to 16 kHz 16 bit mono: ``python convert_folder.py FROM TO``."""

import asyncio
import sys
import tempfile
import wave
from pathlib import Path

from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.batch.converter import AudioFormatConverter


async def convert(source: Path, target: Path) -> int:
    """Returns the frames written. Memory stays small, however long the recording is."""
    with wave.open(str(source), "rb") as wav, wave.open(str(target), "wb") as out:
        form = AudioFormat(wav.getframerate(), wav.getsampwidth(), wav.getnchannels())
        out.setparams((SPEECH.channels, SPEECH.width, SPEECH.rate, 0, "NONE", ""))
        pieces = iter(lambda: wav.readframes(1 << 16), b"")
        with tempfile.TemporaryFile() as raw:
            frames = await AudioFormatConverter.convert_file(pieces, raw, form, SPEECH)
            raw.seek(0)
            for pcm in iter(lambda: raw.read(1 << 16), b""):
                out.writeframesraw(pcm)
    return frames


def main(source: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for path in sorted(source.glob("*.wav")):
        frames = asyncio.run(convert(path, target / path.name))
        print(f"{path.name}: {SPEECH.seconds(frames * SPEECH.frame_bytes):.2f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
