"""Home: the sentences of a home as a graph to search, kept as long as its names are used."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from irene_wyoming.engines.asr.guided.graph import Graph
from irene_wyoming.engines.asr.guided.tokens import Tokens
from irene_wyoming.errors import ConfigError
from irene_wyoming.language.commands import command_grammar
from irene_wyoming.language.decoys import DECOYS
from irene_wyoming.language.grammar import Grammar
from irene_wyoming.language.vocabulary import Vocabulary

MOST_GRAPHS = 3
"""Most graphs kept: for the configured names, the present ones, and those before for running utterances."""


@dataclass(frozen=True, slots=True)
class Home:
    """The graph to search, and its commands."""

    graph: Graph
    """The commands and the decoys, as a graph of tokens."""
    grammar: Grammar

    def means(self, said: str) -> bool:
        """Whether a found sentence is a command and no decoy.

        :param said: the sentence in any spelling of a recogniser.
        """
        return not self.grammar.decoy(said)


class Graphs:
    """Graphs of commands for one model.

    :param names: the configured names.
    :param sentences: own sentences, in hassil's template notation.
    :raises ConfigError: a sentence cannot be used.
    """

    def __init__(self, tokens: Tokens, names: Vocabulary, sentences: Sequence[str]) -> None:
        self._tokens = tokens
        self._names = names
        self._sentences = tuple(sentences)
        self._graph = lru_cache(MOST_GRAPHS)(self._made)
        try:
            self.of(None)
        except ValueError as error:
            raise ConfigError(f"asr.providers.guided.sentences: {error}") from error

    def of(self, names: Vocabulary | None) -> Home:
        """The home with its present names.

        :param names: present names besides the configured ones; None: there are none.
        """
        return self._graph(self._names if names is None else self._names + names)

    def _made(self, names: Vocabulary) -> Home:
        grammar = command_grammar(names, self._sentences, decoys=DECOYS)
        graph = Graph(grammar, self._tokens)
        graph.ways(frozenset([graph.start]))  # the slowest part of the first search
        return Home(graph, grammar)
