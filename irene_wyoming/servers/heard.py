"""What was heard, in words for the log and in numbers for hubs. Pure."""

from math import exp

from irene_wyoming.engines.base import Hit, MeasuredScore, Score
from irene_wyoming.engines.wake.second import Verdict

FAR = 20.0
"""Natural logarithm: margins of a second look beyond it are shown as so much."""


def heard(caller: str, name: str, hit: Hit, peak: float, seconds: float, verdict: Verdict | None = None) -> str:
    """A word that was heard.

    :param caller: whom the log names.
    :param name: what the caller calls the word.
    :param peak: the highest score that it got.
    :param seconds: where in its stream.
    :param verdict: of the second look, where there was one.
    """
    reached = "" if hit.threshold is None else f"reached {min(hit.threshold, hit.score):.2f}, "
    sound = loudness(hit.level_dbfs, hit.snr_db) + looked(verdict)
    return f"{caller} heard {name} ({reached}peak {peak:.2f}) at {seconds:.1f} s of its stream{sound}"


def refused(caller: str, name: str, hit: Hit, verdict: Verdict, seconds: float) -> str:
    """A word that an engine proposed, and a second look did not find."""
    where = f"at {seconds:.1f} s of its stream{loudness(hit.level_dbfs, hit.snr_db)}"
    return f"{caller}: {name} was not said (score {hit.score:.2f}{looked(verdict)}) {where}"


def looked(verdict: Verdict | None) -> str:
    """What a second look has found, behind a score."""
    if verdict is None:
        return ""
    if verdict.look is None:
        return f", without a second look, which is {verdict.outcome}"
    if verdict.look.phrase is None:
        return ", the second look found nothing like it"
    return f", second look {verdict.look.llr:.1f}"


def score_of(margin: float) -> float:
    """A score, 0 to 1, of a word that only a second look has heard; 0.5: it just reached what it must."""
    return 1 / (1 + exp(-margin))


def nearly(caller: str, name: str, score: Score, seconds: float) -> str:
    """A word that was nearly heard: its highest score."""
    wanted, sound = "", ""
    if isinstance(score, MeasuredScore):
        wanted, sound = f" of {score.threshold:.2f}", loudness(score.level_dbfs, score.snr_db)
    return f"{caller} nearly heard {name} (peak {score.score:.2f}{wanted}) at {seconds:.1f} s of its stream{sound}"


def shown(
    caller: str, name: str, found: Hit | Score, peak: float, steps: int, verdict: Verdict | None = None
) -> dict[str, object]:
    """A word that was heard, or nearly, for the page.

    :param steps: in a row that reached its threshold.
    :param verdict: of the second look, where there was one.
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
    """As the end of a sentence; what is not known is left out."""
    level = "" if level_dbfs is None else f", {level_dbfs:.0f} dBFS"
    return level if snr_db is None else f"{level}, SNR {snr_db:.0f} dB"


def measured(hit: Hit, peak: float | None = None, verdict: Verdict | None = None) -> dict[str, float]:
    """What a hub needs to tell which of several rooms heard a word best.

    :returns: ``score``, ``level`` (dBFS), ``snr`` (dB), ``threshold`` that was reached, ``peak`` where it is known;
        of a second look ``llr`` and ``absolute``, natural logarithms.
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
