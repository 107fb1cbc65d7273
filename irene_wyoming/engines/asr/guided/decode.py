"""Decode: the search run on the model."""

from math import inf

from irene_wyoming.engines.asr.guided.graph import Graph
from irene_wyoming.engines.asr.guided.model import Moonshine, Sound
from irene_wyoming.engines.asr.guided.search import WIDTH, Result, Search, limit


def decoded(model: Moonshine, graph: Graph | None, sound: Sound, width: int = WIDTH, hopeless: float = inf) -> Result:
    """The open transcript of a piece of audio, and the sentences of the graph that are nearest to it.

    :param graph: None: only the open transcript.
    :param hopeless: when the nearest sentence is so much less likely than the open transcript, natural logarithm, the
        search ends, and the transcript may not be whole.
    :raises EngineFailed: the model breaks.
    """
    search = Search(graph, model.tokens, limit(sound.seconds), width)
    ids, past = search.first(), model.begin()
    while len(ids):
        logp, past = model.step(sound, ids, past)
        ids = search.step(logp[:, -1])
        if graph is not None and search.behind > hopeless:
            break
        past = past.rows(search.rows)
    return search.result()
