"""Models that can be fetched by name: where from, how large, and the checksum that a whole one has.

The hosts publish no SHA-256 of the Vosk archives, and of the Whisper files only that of the large one. Each sum here is
the one that several independent projects pin for that very file.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from irene_wyoming.errors import UnknownModel


@dataclass(frozen=True, slots=True)
class Remote:
    """One file to fetch."""

    url: str
    sha256: str
    size: int | None
    """Bytes; None: not known before."""

    @property
    def name(self) -> str:
        """The last part of its address."""
        return self.url.split("?")[0].rstrip("/").rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Entry:
    """One model: an archive with its folder, or the files of its folder."""

    engine: str
    name: str
    languages: tuple[str, ...]
    licence: str
    files: tuple[Remote, ...]

    @property
    def size(self) -> int:
        """Bytes to fetch, as far as they are known."""
        return sum(file.size or 0 for file in self.files)


VOSK_HOST = "https://alphacephei.com/vosk/models"
WHISPER_HOST = "https://huggingface.co/Systran"


def vosk(name: str, language: str, size: int, sha256: str) -> Entry:
    return Entry("vosk", name, (language,), "Apache-2.0", (Remote(f"{VOSK_HOST}/{name}.zip", sha256, size),))


def whisper(name: str, revision: str, config: tuple[int, str], model: tuple[int, str]) -> Entry:
    """The multilingual ones, whose tokenizer and vocabulary are the same."""
    where = f"{WHISPER_HOST}/faster-whisper-{name}/resolve/{revision}"
    files = {
        "config.json": config,
        "model.bin": model,
        "tokenizer.json": (2_203_239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"),
        "vocabulary.txt": (459_861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"),
    }
    remotes = (Remote(f"{where}/{file}", sha256, size) for file, (size, sha256) in files.items())
    return Entry("whisper", name, ("multilingual",), "MIT", tuple(remotes))


CATALOGUE: Sequence[Entry] = (
    vosk(
        "vosk-model-small-en-us-0.15",
        "en",
        41_205_931,
        "30f26242c4eb449f948e42cb302dd7a686cb29a3423a8367f99ff41780942498",
    ),
    vosk(
        "vosk-model-en-us-0.22-lgraph",
        "en",
        130_557_655,
        "d9838b4aaa82a75c4a17f5aca300eaca129aaab2a7cbf951bafbb500eb9c4334",
    ),
    vosk(
        "vosk-model-small-de-0.15", "de", 46_499_967, "b7e53c90b1f0a38456f4cd62b366ecd58803cd97cd42b06438e2c131713d5e43"
    ),
    vosk(
        "vosk-model-small-es-0.42", "es", 39_817_833, "09b239888f633ef2f0b4e09736e3d9936acfd810bc65d53fad45261762c6511f"
    ),
    vosk(
        "vosk-model-small-fr-0.22", "fr", 42_233_323, "cabf6180e177eb9b3a9a9d43a437bd5e549f3a7d09525e5d69a3fed787be12ad"
    ),
    vosk(
        "vosk-model-small-it-0.22", "it", 49_665_141, "9ec65e75861d1c6c2e457cccd932705340dcdf233f5b239f00733b4de0bf3267"
    ),
    vosk(
        "vosk-model-small-nl-0.22", "nl", 40_441_176, "039811c3b829de64e4f123a9f684a53784005b212a346ac0b899dc7efce2ed0a"
    ),
    vosk(
        "vosk-model-small-pl-0.22", "pl", 52_979_372, "c4cd16498ea544f446f9e9a55cbd602b71cfe5a2b6f2b0834d81e1b6fce15f0d"
    ),
    vosk(
        "vosk-model-small-pt-0.3", "pt", 32_453_112, "6e1ce909032e1afa7a88e68a3d628ecafff302bdf195befab308826c395e93b7"
    ),
    whisper(
        "tiny",
        "d90ca5fe260221311c53c58e660288d3deb8d356",
        (2_249, "a73a28cdfe1c43ccc7202fa333d1f89c202477271407ae9a7f19afa52039cac8"),
        (75_538_270, "dcb76c6586fc06cbdac6dd21f14cfd129cc4cdd9dce19bf4ffa62e59cbe6e6d1"),
    ),
    whisper(
        "base",
        "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
        (2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
        (145_217_532, "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"),
    ),
    whisper(
        "small",
        "536b0662742c02347bc0e980a01041f333bce120",
        (2_370, "b55496ac7940a7ae47d2c01eab40edfd8701feec1229d9cce3b40014383fb828"),
        (483_546_902, "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671"),
    ),
)


def entry(name: str, catalogue: Sequence[Entry] = CATALOGUE) -> Entry:
    """:raises UnknownModel: there is none of that name; the message lists them."""
    for known in catalogue:
        if known.name == name:
            return known
    names = ", ".join(known.name for known in catalogue)
    raise UnknownModel(f"no model {name!r} is known here; known are {names}; any other has to be given by its address")
