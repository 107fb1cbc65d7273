"""Describes what was heard, in words for the log and in numbers for hubs. Pure."""

from math import exp

from irene_wyoming.engines.base import Hit, MeasuredScore, Score
from irene_wyoming.engines.wake.second import Verdict

FAR = 20.0
"""Largest margin of a second look that is shown, natural logarithm."""


def heard(caller: str, name: str, hit: Hit, peak: float, seconds: float, verdict: Verdict | None = None) -> str:
    """Describe a word that was heard, for the log.

    :param caller: the client's name in the log.
    :param name: the client's name of the word.
    :param peak: the word's highest score.
    :param seconds: its place in the stream.
    :param verdict: the second look's verdict, where there was one.
    """
    reached = "" if hit.threshold is None else f"reached {min(hit.threshold, hit.score):.2f}, "
    sound = loudness(hit.level_dbfs, hit.snr_db) + looked(verdict)
    return f"{caller} heard {name} ({reached}peak {peak:.2f}) at {seconds:.1f} s of its stream{sound}"


def refused(caller: str, name: str, hit: Hit, verdict: Verdict, seconds: float) -> str:
    """Describe a word that an engine proposed and a second look rejected, for the log."""
    where = f"at {seconds:.1f} s of its stream{loudness(hit.level_dbfs, hit.snr_db)}"
    return f"{caller}: {name} was not said (score {hit.score:.2f}{looked(verdict)}) {where}"


def looked(verdict: Verdict | None) -> str:
    """Describe a second look's result, to be put behind a score."""
    if verdict is None:
        return ""
    if verdict.look is None:
        return f", without a second look, which is {verdict.outcome}"
    if verdict.look.phrase is None:
        return ", the second look found nothing like it"
    return f", second look {verdict.look.llr:.1f}"


def score_of(margin: float) -> float:
    """The score, 0 to 1, of a word that only a second look has heard; 0.5: the margin is just enough."""
    return 1 / (1 + exp(-margin))


def nearly(caller: str, name: str, score: Score, seconds: float) -> str:
    """Describe a near miss by its highest score, for the log."""
    wanted, sound = "", ""
    if isinstance(score, MeasuredScore):
        wanted, sound = f" of {score.threshold:.2f}", loudness(score.level_dbfs, score.snr_db)
    return f"{caller} nearly heard {name} (peak {score.score:.2f}{wanted}) at {seconds:.1f} s of its stream{sound}"


def shown(
    caller: str, name: str, found: Hit | Score, peak: float, steps: int, verdict: Verdict | None = None
) -> dict[str, object]:
    """Describe a word that was heard or nearly heard, for the page.

    :param steps: steps in a row that reached the word's threshold.
    :param verdict: the second look's verdict, where there was one.
    """
    values = {
        "peak": peak,
        "threshold": getattr(found, "threshold", None),
        "level_dbfs": getattr(found, "level_dbfs", None),
        "snr_db": getattr(found, "snr_db", None),
        "look": None if verdict is None or verdict.look is None else max(-FAR, min(FAR, verdict.margin)),
    }
    rounded = {key: value and round(value, 3) for key, value in values.items()}
    return {"caller": caller, "word": name, "steps": steps, **rounded}


def loudness(level_dbfs: float | None, snr_db: float | None) -> str:
    """Describe level and SNR at the end of a sentence; unknown values are left out."""
    level = "" if level_dbfs is None else f", {level_dbfs:.0f} dBFS"
    return level if snr_db is None else f"{level}, SNR {snr_db:.0f} dB"


def measured(hit: Hit, peak: float | None = None, verdict: Verdict | None = None) -> dict[str, float]:
    """Numbers for hubs that compare rooms.

    :returns: ``score``, ``level`` (dBFS), ``snr`` (dB), ``threshold`` that was reached, ``peak`` where it is known; a
        second look's ``llr`` and ``absolute``, natural logarithms.
    """
    look = verdict.look if verdict else None
    values = {
        "score": (hit.score, 3),
        "level": (hit.level_dbfs, 1),
        "snr": (hit.snr_db, 1),
        "threshold": (hit.threshold, 3),
        "peak": (peak, 3),
        "llr": (look.llr if look else None, 2),
        "absolute": (look.absolute if look else None, 2),
    }
    return {name: round(value, places) for name, (value, places) in values.items() if value is not None}
