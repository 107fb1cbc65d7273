"""Decode: the search run on the model."""

from math import inf

from irene_wyoming.engines.asr.guided.graph import Graph
from irene_wyoming.engines.asr.guided.model import Moonshine, Sound
from irene_wyoming.engines.asr.guided.search import QUICK, THOROUGH, Effort, Result, Search, limit

CLEAR = -3.0
"""Natural logarithm: a command that is so near to the open transcript was not missed by a quick search."""

FAR = -15.0
"""The same: without noise a quick search misses nothing that is nearer than this."""


def decoded(
    model: Moonshine, graph: Graph | None, sound: Sound, effort: Effort = QUICK, hopeless: float = inf
) -> Result:
    """The open transcript of a piece of audio, and the sentences of the graph that are nearest to it.

    :param graph: None: only the open transcript.
    :param hopeless: when the nearest sentence is so much less likely than the open transcript, natural logarithm, the
        search ends, and the transcript may not be whole.
    :raises EngineFailed: the model breaks.
    """
    search = Search(graph, model.tokens, limit(sound.seconds), effort)
    ids, past = search.first(), model.begin()
    while len(ids):
        logp, past = model.step(sound, ids, past)
        ids = search.step(logp[:, -1])
        if graph is not None and search.behind > hopeless:
            break
        past = past.rows(search.rows)
    return search.result()


def understood(model: Moonshine, graph: Graph | None, sound: Sound, *, noisy: bool = True) -> Result:
    """As ``decoded``, with as much effort as it takes: what is not clear is searched again, more thoroughly.

    :param noisy: the audio is, so that a command may be there of which a quick search has found nothing.
    :raises EngineFailed: the model breaks.
    """
    found = decoded(model, graph, sound)
    if graph is None:
        return found
    if found.nearest:
        ratio = found.nearest[0].score - found.open_score
        if ratio >= CLEAR or (ratio < FAR and not noisy):
            return found
    return decoded(model, graph, sound, THOROUGH)
