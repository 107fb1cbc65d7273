"""Decode: the search run on the model."""

from irene_wyoming.engines.asr.guided.graph import Graph
from irene_wyoming.engines.asr.guided.model import Moonshine, Sound
from irene_wyoming.engines.asr.guided.search import WIDTH, Result, Search, limit


def decoded(model: Moonshine, graph: Graph | None, sound: Sound, width: int = WIDTH) -> Result:
    """The open transcript of a piece of audio, and the sentences of the graph that are nearest to it.

    :param graph: None: only the open transcript.
    :raises EngineFailed: the model breaks.
    """
    search = Search(graph, model.tokens, limit(sound.seconds), width)
    ids, past = search.first(), model.begin()
    while len(ids):
        logp, past = model.step(sound, ids, past)
        ids = search.step(logp[:, -1])
        past = past.rows(search.rows)
    return search.result()
