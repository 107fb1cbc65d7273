"""Reports what is known about a home's names: their source, their spoken forms, and which cannot be said."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from irene_wyoming.app.home import configured, where
from irene_wyoming.config.model import Config
from irene_wyoming.errors import ConfigError, HomeUnavailable
from irene_wyoming.home import kept
from irene_wyoming.home.things import NOTHING, Things
from irene_wyoming.home.watch import look_once
from irene_wyoming.language.commands import unsayable
from irene_wyoming.language.hub import why_unfound
from irene_wyoming.language.spoken import spoken_forms, why_unsayable
from irene_wyoming.language.vocabulary import Name

Source = Literal["configuration", "home"]


@dataclass(frozen=True, slots=True)
class Known:
    """The facts about one name."""

    written: str
    kind: str
    """``floor``, ``area``, or the domain of an entity."""
    source: Source
    said: Sequence[str]
    """Spoken forms, the plain one first; empty: nobody can say it."""
    why: str
    """The reason why nobody can say it; empty: it can be said."""
    unfound: str = ""
    """The reason why Home Assistant does not find it when it is said; empty: it does."""


@dataclass(frozen=True, slots=True)
class Report:
    """The facts about all names of a home."""

    names: Sequence[Known] = ()
    sentences: Sequence[tuple[str, str]] = ()
    """The home's own sentences, each with the reason why it cannot be said; empty: it can."""
    asked: str = ""
    """The address that was asked for names; empty: none was."""
    told: Things = field(default=NOTHING)
    trouble: str = ""
    """The reason why Home Assistant gave no names; ``told`` is then the last list, if there is one."""

    @property
    def unsayable(self) -> list[Known]:
        return [name for name in self.names if name.why]


async def report(config: Config, environ: Mapping[str, str]) -> Report:
    """Ask Home Assistant now, or read its last list. A home that does not answer raises nothing."""
    told, trouble, asked = NOTHING, "", ""
    try:
        found = await asyncio.to_thread(where, config, environ)
        if found is not None:
            asked = found.url
            told = await look_once(found)
    except (ConfigError, HomeUnavailable) as error:
        trouble = str(error)
        told = await asyncio.to_thread(last_list, config)
    return await asyncio.to_thread(described, config, told, asked, trouble)


def last_list(config: Config) -> Things:
    """The last list from Home Assistant; empty where none was kept or can be read."""
    if config.data_dir is None:
        return NOTHING
    try:
        return kept.load(kept.path_in(config.data_dir)) or NOTHING
    except HomeUnavailable:
        return NOTHING


def described(config: Config, told: Things, asked: str, trouble: str) -> Report:
    """Make the report with all spoken forms, which takes some seconds for thousands of names."""
    language = config.asr.language
    names = [*known(configured(config).names, "configuration", language), *known(told.names, "home", language)]
    why = dict(unsayable(told.sentences, language))
    return Report(names, [(sentence, why.get(sentence, "")) for sentence in told.sentences], asked, told, trouble)


def known(names: Iterable[Name], source: Source, language: str) -> Iterable[Known]:
    for name in names:
        for written in name.all_written:
            said, why = spoken_forms(written, language), why_unsayable(written, language)
            yield Known(written, name.domain or name.kind, source, said, why, "" if why else why_unfound(written))
