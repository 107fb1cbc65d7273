"""What was heard, in words for the log and in numbers for hubs. Pure."""

from irene_wyoming.engines.base import Hit, MeasuredScore, Score


def heard(caller: str, name: str, hit: Hit, peak: float, seconds: float) -> str:
    """A word that was heard.

    :param caller: whom the log names.
    :param name: what the caller calls the word.
    :param peak: the highest score that it got.
    :param seconds: where in its stream.
    """
    reached = "" if hit.threshold is None else f"reached {hit.threshold:.2f}, "
    sound = loudness(hit.level_dbfs, hit.snr_db)
    return f"{caller} heard {name} ({reached}peak {peak:.2f}) at {seconds:.1f} s of its stream{sound}"


def nearly(caller: str, name: str, score: Score, seconds: float) -> str:
    """A word that was nearly heard: its highest score."""
    wanted, sound = "", ""
    if isinstance(score, MeasuredScore):
        wanted, sound = f" of {score.threshold:.2f}", loudness(score.level_dbfs, score.snr_db)
    return f"{caller} nearly heard {name} (peak {score.score:.2f}{wanted}) at {seconds:.1f} s of its stream{sound}"


def loudness(level_dbfs: float | None, snr_db: float | None) -> str:
    """As the end of a sentence; what is not known is left out."""
    level = "" if level_dbfs is None else f", {level_dbfs:.0f} dBFS"
    return level if snr_db is None else f"{level}, SNR {snr_db:.0f} dB"


def measured(hit: Hit, peak: float | None = None) -> dict[str, float]:
    """What a hub needs to tell which of several rooms heard a word best.

    :returns: ``score``, ``level`` (dBFS), ``snr`` (dB), ``threshold`` that was reached, ``peak`` where it is known.
    """
    values = {
        "score": (hit.score, 3),
        "level": (hit.level_dbfs, 1),
        "snr": (hit.snr_db, 1),
        "threshold": (hit.threshold, 3),
        "peak": (peak, 3),
    }
    return {name: round(value, places) for name, (value, places) in values.items() if value is not None}
