"""Lists every installed engine with each of its models, for comparison."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from irene_wyoming.config.model import Config
from irene_wyoming.engines import registry
from irene_wyoming.errors import EngineUnavailable
from irene_wyoming.models import folder


@dataclass(frozen=True, slots=True)
class Installed:
    """One engine with one model."""

    engine: str
    model: str | None
    """The model's folder; None: the engine brings its own, or needs none here."""

    @property
    def name(self) -> str:
        return self.engine if self.model is None else f"{self.engine} {self.model.rpartition('/')[2]}"

    def settings(self, others: Mapping[str, object]) -> dict[str, object]:
        """Settings of a server with this engine only.

        :param others: further settings, as ``serving`` takes them.
        """
        provider = f"providers__{self.engine}__"
        model = {} if self.model is None else {f"{provider}model": self.model}
        alone: dict[str, object] = {"default_provider": self.engine, "fallback_providers": "[]"}
        return {**others, **alone, f"{provider}enabled": "true", **model}


def sherpa_with_guided_model() -> Installed:
    """The engine ``sherpa`` with the model of ``guided``: open transcripts, no command grammar.

    The model is found without importing its package, which would load PortAudio.

    :raises EngineUnavailable: a package is missing.
    """
    found = find_spec("moonshine_voice")
    if found is None or found.origin is None or find_spec("sherpa_onnx") is None:
        raise EngineUnavailable("--sherpa: pip install sherpa-onnx moonshine-voice==0.0.73")
    return Installed("sherpa", str(Path(found.origin).parent / "assets" / "tiny-en"))


def installed(config: Config) -> Iterator[Installed]:
    """List installed engines with their configured models, those in the data folder, or their own.

    Engines that send audio away are included only where the configuration enables them.
    """
    for name, spec in registry.specs("asr").items():
        provider = config.asr.providers[name]
        if registry.missing(spec):
            continue
        kept = [str(found.path) for found in folder.kept(config.data_dir, name)]
        configured = provider.options.get("model") if provider.enabled else None
        named = [str(configured)] if configured and not any(path.endswith(f"/{configured}") for path in kept) else []
        own = [None] if provider.enabled and not (named or kept) else []
        yield from (Installed(name, model) for model in (*own, *named, *kept))
