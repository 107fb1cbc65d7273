"""Finds doubtful settings of a configuration, for the log at the start and for ``check``."""

import difflib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from irene_wyoming.config.asr import AsrConfig
from irene_wyoming.config.model import Config
from irene_wyoming.config.wake import WakeConfig
from irene_wyoming.engines.base import ModelInfo
from irene_wyoming.engines.wake.names import resolve, resolved
from irene_wyoming.engines.wake.words import PHRASES
from irene_wyoming.tags import primary


def of_words(settings: WakeConfig, known: Sequence[str], data_dir: Path | None) -> list[str]:
    """Doubts about words that no engine knows. Their files may be on an absent drive, so they are no errors.

    :param known: names of the existing models.
    """
    unknown = resolved(settings.default_models, known).unknown
    doubts = [f"wake.default_models: {word!r} {_waited(settings, word, known, data_dir)}" for word in unknown]
    if len(unknown) == len(settings.default_models) and known:
        doubts.append(f"wake.default_models: none of them is here; {known[0]} is listened for meanwhile")
    own = {"wake.models": settings.models}
    own |= {f"wake.satellites.{name}.models": one.models for name, one in settings.satellites.items()}
    return doubts + [
        f"{section}.{word}: no engine has this word{_close(word, known)}"
        for section, words in own.items()
        for word in words
        if resolve(word, known) is None
    ]


def of_typed(settings: WakeConfig, known: Sequence[str]) -> list[str]:
    """Doubts about typed words that have a model, which then hears them before a second look.

    :param known: names of the existing models.
    """
    return [
        f"wake.typed: {word!r}: {model} is a model here, which hears it better; only a hub that selects the program "
        "typed hears the typed one"
        for word in settings.typed
        if (model := resolve(word, known)) is not None
    ]


def of_language(settings: AsrConfig, models: Mapping[str, Sequence[ModelInfo]]) -> list[str]:
    """Doubts about a language that no engine understands. Other languages still work."""
    return of_tags(settings, {tag for some in models.values() for model in some for tag in model.languages})


def of_tags(settings: AsrConfig, tags: Collection[str]) -> list[str]:
    """Doubts about ``asr.language``, given the languages that are understood."""
    known = sorted(tags)
    if primary(settings.language) in map(primary, known):
        return []
    return [
        f"asr.language: {settings.language!r}: no engine here understands it, only {', '.join(known) or 'none'}; "
        "set asr.default_provider to auto, which fetches a model for it, or fetch one yourself (irene-wyoming models)"
    ]


def of_sentences(settings: AsrConfig) -> list[str]:
    """Doubts about own sentences that nobody can say, whole or in part. Takes a second where there are any."""
    own = {name: one.options["sentences"] for name, one in settings.providers.items() if one.options.get("sentences")}
    if not own:
        return []
    from irene_wyoming.language.commands import unsayable  # loads hassil, which is slow

    return [
        f"asr.providers.{name}.sentences: {sentence!r} is never heard, or in part only: {why}"
        for name, sentences in own.items()
        if settings.providers[name].enabled
        for sentence, why in unsayable(sentences, settings.language)
    ]


def of_folders(config: Config) -> list[str]:
    """Doubts about named folders that do not exist. An add-on's own folders may be missing."""
    named = {
        f"wake.providers.{name}.folders": provider.options.get("folders", ())
        for name, provider in config.wake.providers.items()
        if provider.enabled and not config.household
    }
    return [
        f"{key}: {folder} is not there; waited for"
        for key, folders in named.items()
        for folder in folders
        if not Path(folder).expanduser().is_dir()
    ]


def _waited(settings: WakeConfig, word: str, known: Sequence[str], data_dir: Path | None) -> str:
    if settings.licence == "commercial" and resolve(word, list(PHRASES)) is not None:
        return f"is not offered, since wake.licence is commercial; known are {', '.join(known) or 'none'}"
    engines = {name: one.options["folders"] for name, one in settings.providers.items() if "folders" in one.options}
    places = [str(folder) for name in engines if settings.providers[name].enabled for folder in engines[name]]
    if data_dir is not None:
        places.append(str(data_dir / "wake" / settings.default_provider))
    where = f" in {' or '.join(dict.fromkeys(places))}" if places else ""
    return f"is not known here{_close(word, known)}; waited for: a model of that name{where} is taken at once"


def _close(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word.casefold().replace(" ", "_"), known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"
