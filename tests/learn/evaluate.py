"""Measures whether words learned from ten recordings are heard from other people, by a real wake server.

python -m tests.learn.evaluate ../shared/recordings python -m tests.learn.evaluate ../shared/recordings --draws 1
--every 4 a quicker look

The folder has a folder of recordings for each word, others in which nobody says one, and ``kitchen``. Each draw takes
ten files with even numbers at random. Its word is looked for in the files with odd numbers, as recorded and beside the
kitchen at 10 dB. What it hears in all other recordings is a false accept. A server listens for all words at once.
"""

import argparse
import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from irene_wyoming.bench.mixing import Condition, Noise, floats, mixed
from irene_wyoming.bench.people import Folder, folder_of, number
from irene_wyoming.bench.serving import serving
from irene_wyoming.bench.wake_recall import Listener, false_accepts, known, listen
from irene_wyoming.cli.bench.people import read
from irene_wyoming.cli.learn_wake import engine_of, write
from irene_wyoming.config.load import load
from irene_wyoming.engines.registry import phrase_scorer
from irene_wyoming.learn.examples import example
from irene_wyoming.learn.learn import learn

WORDS = ("computer", "view_glass")
OTHERS = ("alexa", "libri", "coffee", "kitchen")
EXAMPLES = 10
KITCHEN_DB = 10.0


@dataclass
class Draw:
    """One learned model of a word."""

    word: str
    heard: Counter[str] = field(default_factory=Counter)
    """Results by condition."""
    spoken: Counter[str] = field(default_factory=Counter)
    false: list[str] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=Path)
    parser.add_argument("--draws", type=int, default=5, help="of each word; default: %(default)s")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every Nth recording; default: all")
    parser.add_argument("--models", type=Path, help="keep the models there, and take those that are there already")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        models = args.models or Path(folder)
        learned(args.recordings, models / "wake" / "openwakeword", args.draws)
        draws = {f"{word}_draw{place}": Draw(word) for word in WORDS for place in range(args.draws)}
        config = models / "learned.yaml"
        config.write_text(f"data_dir: {models.resolve()}\nwake: {{verify: auto}}\n", encoding="utf-8")
        asyncio.run(measured(args.recordings, config, draws, args.every))
    print(*lines(draws), sep="\n")


def learned(recordings: Path, models: Path, draws: int) -> None:
    """Learn each word from some of its recordings with even numbers."""
    scorer = phrase_scorer()()
    with closing(engine_of(load(None, {}))) as engine:
        for word in WORDS:
            files = [path for place, path in enumerate(sorted((recordings / word).glob("*.wav"))) if even(path, place)]
            for draw in range(draws):
                name = f"{word}_draw{draw}"
                if (models / f"{name}.json").exists():
                    continue
                chosen = random.Random(100 * draw + 7).sample(files, EXAMPLES)
                examples = [example(path.name, samples(path)) for path in chosen]
                found = learn(examples, engine, scorer, word.replace("_", " "))
                write(models, name, word.replace("_", " "), found)
                print(f"{name}: {found.report}, {', '.join(found.spellings)}", flush=True)


def even(path: Path, place: int) -> bool:
    return number(path, place) % 2 == 0


def samples(path: Path) -> np.ndarray:
    """Read a recording: 16 kHz, full scale 1."""
    return np.frombuffer(read(path), "<i2").astype(np.float32) / np.float32(32_768)


async def measured(recordings: Path, config: Path, draws: dict[str, Draw], every: int) -> None:
    """Play everything to a server, and note what each model hears."""
    kitchen = Condition(Noise("kitchen", floats(read(next((recordings / "kitchen").glob("*.wav"))))), KITCHEN_DB)
    async with serving("wake", config=config) as server:
        await known(server.address, list(draws))
        listener = Listener(server.address, "verified", None, tuple(draws))
        for folder in (folder_of(recordings / word, read, other=True) for word in WORDS):
            for name, condition in (("clean", Condition()), ("kitchen", kitchen)):
                await of_word(listener, folder, every, name, condition, draws)
        for path in (recordings / name for name in OTHERS):
            folder = folder_of(path, read, other=True)
            row = await false_accepts(listener, Folder(folder.name, folder.spoken[::every]))
            for accept in row.accepts:
                draws[accept.rpartition(": ")[2]].false.append(accept)


async def of_word(
    listener: Listener, folder: Folder, every: int, name: str, condition: Condition, draws: dict[str, Draw]
) -> None:
    """The recordings of one word. Those with even numbers, used for fitting, only show false accepts."""
    for one in folder.spoken[::every] if every % 2 else folder.spoken[1::every]:
        odd = int(one.name[-1]) % 2 == 1
        if not odd and name != "clean":
            continue
        told = {hit.word for hit in await listen(listener, mixed(one.pcm, condition, one.name))}
        for model, draw in draws.items():
            if draw.word == folder.name and odd:
                draw.spoken[name] += 1
                draw.heard[name] += model in told
            elif draw.word != folder.name and model in told:
                draw.false.append(f"{one.name}, {name}")


def lines(draws: dict[str, Draw]) -> Sequence[str]:
    """Print a line for each model, and the worst of each word."""
    found = []
    for word in WORDS:
        some = {name: draw for name, draw in draws.items() if draw.word == word}
        for name, draw in some.items():
            shares = ", ".join(f"{kind} {draw.heard[kind]} of {draw.spoken[kind]}" for kind in draw.spoken)
            found.append(f"{name}: {shares}; false accepts: {'; '.join(draw.false) or 'none'}")
        worst = {
            kind: min(draw.heard[kind] / draw.spoken[kind] for draw in some.values()) for kind in ("clean", "kitchen")
        }
        most = max(len(draw.false) for draw in some.values())
        found.append(f"{word}, the worst: clean {worst['clean']:.1%}, kitchen {worst['kitchen']:.1%}, {most} false")
    return found


if __name__ == "__main__":
    main()
