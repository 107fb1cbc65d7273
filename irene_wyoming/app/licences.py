"""Finds the licences of loaded models, for ``irene-wyoming check``."""

from collections.abc import Mapping, Sequence

from irene_wyoming.engines.base import ModelInfo
from irene_wyoming.models.catalogue import Entry

NOT_COMMERCIAL = "-NC-"
"""Part of the SPDX names of licences that forbid commercial use."""


def told(engines: Mapping[str, Sequence[ModelInfo]], fetched: Sequence[Entry]) -> str:
    """The licences of each engine's models, in one line.

    :param engines: loaded models by the engine's name.
    :param fetched: the catalogue's models, whose licences count for models of the same name.
    """
    listed = {(entry.engine, entry.name): entry.licence for entry in fetched}
    parts = []
    for engine, models in engines.items():
        by_licence: dict[str, list[str]] = {}
        for model in models:
            licence = model.licence or listed.get((engine, model.name)) or "not known here"
            by_licence.setdefault(licence, []).append(model.name)
        parts += [f"{engine}: {_licence(licence)}: {', '.join(names)}" for licence, names in by_licence.items()]
    return "; ".join(parts) or "no model is loaded"


def _licence(name: str) -> str:
    return f"{name} (not for commercial use)" if NOT_COMMERCIAL in name else name
