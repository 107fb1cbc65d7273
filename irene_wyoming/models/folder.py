"""Finds model folders: ``data_dir/asr/ENGINE/NAME``, or any folder that the configuration names."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from irene_wyoming.errors import EngineUnavailable


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """The folder of one engine's model, which may or may not exist."""

    engine: str
    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def exists(self) -> bool:
        return self.path.is_dir()


def models_dir(data_dir: Path, engine: str) -> Path:
    """The folder that holds an engine's models."""
    return data_dir / "asr" / engine


def kept(data_dir: Path | None, engine: str) -> Sequence[ModelFolder]:
    """The models of an engine in the data folder, sorted by name."""
    if data_dir is None or not (parent := models_dir(data_dir, engine)).is_dir():
        return []
    folders = sorted(path for path in parent.iterdir() if path.is_dir() and not path.name.startswith("."))
    return [ModelFolder(engine, path) for path in folders]


def find(engine: str, wanted: str | None, data_dir: Path | None) -> ModelFolder:
    """Find a model's folder.

    :param wanted: a path, or a name in the data folder; None: the only model there.

    :raises EngineUnavailable: there is none, or more than one; the message says what to do.
    """
    if wanted is None:
        return _only(engine, data_dir)
    if data_dir is not None and "/" not in wanted and (path := models_dir(data_dir, engine) / wanted).is_dir():
        return ModelFolder(engine, path)
    if (path := Path(wanted).expanduser()).is_dir():
        return ModelFolder(engine, path)
    where = f"no folder {wanted}" + (f", and none of that name in {models_dir(data_dir, engine)}" if data_dir else "")
    raise EngineUnavailable(f"{engine}: {where}; {advice(engine, data_dir)}")


def _only(engine: str, data_dir: Path | None) -> ModelFolder:
    there = kept(data_dir, engine)
    if len(there) == 1:
        return there[0]
    if there:
        names = ", ".join(folder.name for folder in there)
        raise EngineUnavailable(
            f"{engine}: several models are there, set asr.providers.{engine}.model to one of {names}"
        )
    raise EngineUnavailable(f"{engine}: there is no model yet; {advice(engine, data_dir)}")


def advice(engine: str, data_dir: Path | None) -> str:
    """A sentence that tells the user how to get a model."""
    if data_dir is None:
        return f"set asr.providers.{engine}.model to the path of one, or data_dir to a folder for downloads"
    return f"'irene-wyoming models list' names some, 'irene-wyoming models download' fetches one into {data_dir}"
