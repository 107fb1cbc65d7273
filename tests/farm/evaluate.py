"""Measures replicas and batches: ``python -m tests.farm.evaluate --provider guided``. Prints a table.

Each line is a farm of its own on this machine. People speak at once, each again after an answer. Every replica has one
thread. ``--together`` needs no farm: it measures processor time per utterance by the size of a batch.
"""

import argparse
import asyncio
import signal
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import yaml

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.audio.wav import wav
from irene_wyoming.engines.base import AsrRequest
from irene_wyoming.farm.batch import transcribed
from irene_wyoming.farm.deployment import engine
from irene_wyoming.farm.forms import Job
from tests.engines.asr.elsewhere import LIGHT, TIMER, recording
from tests.engines.asr.sherpa.test_sherpa import moonshine
from tests.farm.cluster import farm

BATCH_HEADER = "X-Irene-Batch"
WARM = 2
"""Rounds that are not counted: models load and threads start."""


async def answered(uri: str, people: int, rounds: int) -> tuple[float, list[float], list[int]]:
    """Measure utterances a second, seconds that each took, and the size of each one's batch."""
    files = [wav(recording(text), SPEECH) for text in (LIGHT, TIMER)]
    waits: list[float] = []
    together: list[int] = []

    async def person(client: aiohttp.ClientSession, number: int, times: int) -> None:
        for turn in range(times):
            begun = time.perf_counter()
            form = aiohttp.FormData()
            form.add_field("file", files[(number + turn) % 2], filename="u.wav", content_type="audio/wav")
            async with client.post(f"{uri}/audio/transcriptions", data=form) as answer:
                answer.raise_for_status()
                await answer.read()
            waits.append(time.perf_counter() - begun)
            together.append(int(answer.headers[BATCH_HEADER]))

    connector = aiohttp.TCPConnector(limit=people)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(120), connector=connector) as client:
        await asyncio.gather(*(person(client, number, WARM) for number in range(people)))
        waits.clear()
        together.clear()
        begun = time.perf_counter()
        await asyncio.gather(*(person(client, number, rounds) for number in range(people)))
        took = time.perf_counter() - begun
    return len(waits) / took, waits, together


def cpu_time(provider: str, config: Path, sizes: Sequence[int] = (1, 2, 4, 8)) -> None:
    """Print the processor time of each utterance."""
    made = engine(str(config), provider)
    jobs = [Job(AsrRequest(), recording(text)) for text in (LIGHT, TIMER)] * 16
    transcribed(made, jobs[:2])
    for size in sizes:
        begun = time.process_time()
        for start in range(0, len(jobs), size):
            transcribed(made, jobs[start : start + size])
        print(f"| {size} | {1000 * (time.process_time() - begun) / len(jobs):.0f} ms |", flush=True)
    made.close()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--provider", default="guided")
    parser.add_argument("--model", help="folder of the provider's model; sherpa: Moonshine of the wheel")
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--lines", default="1x1,2x1,1x8,2x8", help="replicas x batch, by commas")
    parser.add_argument("--folder", type=Path, default=Path("/tmp"), help="where the configuration is written")
    parser.add_argument("--together", action="store_true", help="only the processor's time by size of a batch")
    args = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # end a running farm first
    model = args.model or (str(moonshine()) if args.provider == "sherpa" else None)
    options = {"threads": 1} if args.provider == "sherpa" else {"cpu_threads": 1} if args.provider == "whisper" else {}
    provider = {"enabled": True, **({"model": model} if model else {}), **options}
    config = args.folder / "farm-evaluate.yaml"
    config.write_text(yaml.safe_dump({"asr": {"language": "en", "providers": {args.provider: provider}}}))
    if args.together:
        cpu_time(args.provider, config)
        return
    print("| replicas | batch | utterances/s | median s | p95 s | decoded together |\n|---|---|---|---|---|---|")
    for line in args.lines.split(","):
        replicas, batch = map(int, line.split("x"))
        with farm(args.provider, replicas=replicas, config=config, batch=batch, wait_s=0.02 if batch > 1 else 0) as uri:
            rate, waits, together = asyncio.run(answered(uri, args.people, args.rounds))
        p95 = statistics.quantiles(waits, n=20)[-1]
        row = (rate, statistics.median(waits), p95, statistics.fmean(together))
        print(f"| {replicas} | {batch} | {' | '.join(f'{each:.2f}' for each in row)} |", flush=True)


if __name__ == "__main__":
    main()
