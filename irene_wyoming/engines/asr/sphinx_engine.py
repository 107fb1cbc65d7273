"""Sphinx: an AsrEngine on PocketSphinx, with a rule that rejects what is no command.

A closed grammar finds a command in any sound. So each utterance is decoded twice while it is spoken: by the grammar,
and by a loop over all phones, which says how well any speech could fit. A command is believed when

- its score per frame of speech is better than the loop's by ``rejection``: the loop is held back by the probabilities
  of phone sequences, so that real commands win by 8 to 25, and other speech loses by 4 or more;
- its words cover nearly all frames that the loop takes for speech: otherwise a few words were picked from a sentence.
"""

import logging
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pocketsphinx
from hassil.errors import HassilError
from home_assistant_intents import get_intents

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.asr.sphinx_commands import DEFAULT_AREAS, DEFAULT_DEVICES, command_grammar, spoken
from irene_wyoming.engines.asr.sphinx_grammar import Grammar
from irene_wyoming.engines.asr.sphinx_lexicon import PHONES, Lexicon
from irene_wyoming.engines.base import AsrRequest, ModelInfo, Transcription, Vocabulary, unknown_model
from irene_wyoming.errors import ConfigError, EngineFailed, UnsupportedRequest

_LOGGER = logging.getLogger(__name__)

MODEL = ModelInfo(
    name="sphinx-en-commands",
    languages=("en",),
    description="English smart-home commands",
    author="Carnegie Mellon University",
    url="https://github.com/cmusphinx/pocketsphinx",
    version=version("pocketsphinx"),
)

BLOCK_BYTES = 3_200
"""100 ms: the decoder is always fed so much, since what it hears depends a little on how the audio is cut."""

COVERAGE = 0.75
"""Least fraction of the speech that the words of a command must cover."""

CONFIDENCE_SPREAD = 3.0
"""Score above the rejection at which the confidence is 0.73; chosen so that clear commands are above 0.9."""

_SILENCE = frozenset({"<sil>", "<s>", "</s>", "SIL"})


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a decoder made of an utterance."""

    text: str
    score: float
    """Acoustic and language score together, natural logarithm times 10,000."""
    speech_frames: int
    """Frames that are a word, or a phone, and neither silence nor noise."""


class Decoder:
    """One PocketSphinx decoder with one search, fed in blocks."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self._cmn = decoder.get_cmn(False)
        self._waiting = bytearray()
        self._running = False

    def start(self) -> None:
        """Begin an utterance. What was adapted to the voice before is forgotten; the library's front end keeps a trace
        that moves scores by less than 0.5 %."""
        self.stop()
        self._decoder.set_cmn(self._cmn)
        self._decoder.start_utt()
        self._running = True

    def push(self, pcm: bytes) -> None:
        self._waiting += pcm
        whole = len(self._waiting) // BLOCK_BYTES * BLOCK_BYTES
        for start in range(0, whole, BLOCK_BYTES):
            self._decoder.process_raw(bytes(self._waiting[start : start + BLOCK_BYTES]), False, False)
        del self._waiting[:whole]

    def finish(self) -> Decoded | None:
        """End the utterance. None: nothing fits."""
        if self._waiting:
            self._decoder.process_raw(bytes(self._waiting), False, False)
        self.stop()
        found = self._decoder.hyp()
        if found is None:
            return None
        speech = sum(part.end_frame - part.start_frame + 1 for part in self._decoder.seg() if is_speech(part.word))
        return Decoded(found.hypstr, math.log(found.best_score) * 1e4, speech)

    def stop(self) -> None:
        """End the utterance without a result. May be called more than once."""
        self._waiting.clear()
        if self._running:
            self._running = False
            self._decoder.end_utt()


def is_speech(word: str) -> bool:
    return word not in _SILENCE and word[0] not in "[(+"


class Ears:
    """What one person at a time needs: a decoder of commands and one of mere speech sounds."""

    def __init__(self, grammar: Grammar, lexicon: Lexicon) -> None:
        commands = new_decoder()
        for word in sorted(grammar.words()):
            for number, phones in enumerate(lexicon.pronunciations(word), start=1):
                commands.add_word(word if number == 1 else f"{word}({number})", phones, False)
        transitions = list(grammar.transitions(lambda _word, _choices: 1.0))
        commands.add_fsg("commands", commands.create_fsg("commands", 0, len(grammar.arcs), transitions))
        commands.activate_search("commands")
        phones = new_decoder()
        phones.add_allphone_file("phones", pocketsphinx.get_model_path("en-us/en-us-phone.lm.bin"))
        phones.activate_search("phones")
        self.commands, self.phones = Decoder(commands), Decoder(phones)

    def start(self) -> None:
        self.commands.start()
        self.phones.start()

    def push(self, pcm: bytes) -> None:
        self.commands.push(pcm)
        self.phones.push(pcm)

    def stop(self) -> None:
        self.commands.stop()
        self.phones.stop()


def new_decoder() -> Any:
    return pocketsphinx.Decoder(lm=None, dict=None, loglevel="FATAL", bestpath=False)


def confidence(command: Decoded | None, sounds: Decoded | None, rejection: float) -> float:
    """How far a command is to be believed: 0 to 1, above 0.5 where it passes the rule."""
    if command is None or sounds is None or command.speech_frames < COVERAGE * sounds.speech_frames:
        return 0.0
    margin = (command.score - sounds.score) / max(1, sounds.speech_frames) - rejection
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, margin / CONFIDENCE_SPREAD))))


class Sphinx:
    """English smart-home commands; what is none of them gives an empty transcript.

    :raises ConfigError: a sentence or a pronunciation of the user's cannot be used.
    """

    name = "sphinx"
    format = SPEECH

    def __init__(
        self,
        vocabulary: Vocabulary,
        *,
        sentences: Sequence[str] = (),
        pronunciations: Mapping[str, str] | None = None,
        rejection: float = 2.0,
        decoders: int = 2,
    ) -> None:
        self._rejection = rejection
        self._lexicon = Lexicon(
            Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict")), checked(pronunciations or {})
        )
        self.grammar = self._make_grammar(vocabulary, sentences)
        self._most = decoders
        self._made = 1
        self._free = [Ears(self.grammar, self._lexicon)]

    def models(self) -> Sequence[ModelInfo]:
        return [MODEL]

    def session(self, request: AsrRequest) -> "SphinxSession":
        """:raises UnknownModel, UnsupportedRequest: another model or language than there is."""
        if request.model not in (None, MODEL.name):
            raise unknown_model(str(request.model), [MODEL])
        language = request.language or "en"
        if language.replace("_", "-").split("-")[0].casefold() != "en":
            raise UnsupportedRequest(f"language {language!r}: sphinx knows en only")
        return SphinxSession(self, language)

    def close(self) -> None:
        self._free.clear()

    def borrow(self) -> Ears | None:
        """A pair of decoders, made anew while there are fewer than allowed; None: all are in use."""
        if not self._free and self._made < self._most:
            self._made += 1
            self._free.append(Ears(self.grammar, self._lexicon))
        return self._free.pop() if self._free else None

    def give_back(self, ears: Ears) -> None:
        """Keep the decoders for the next utterance, unless they are beyond those allowed."""
        ears.stop()
        if self._made > self._most:
            self._made -= 1
        else:
            self._free.append(ears)

    def spare(self) -> Ears:
        """One pair of decoders beyond those allowed, for an utterance that could wait no longer."""
        self._made += 1
        return Ears(self.grammar, self._lexicon)

    def judge(self, command: Decoded | None, sounds: Decoded | None, language: str) -> Transcription:
        sure = confidence(command, sounds, self._rejection)
        text = command.text if command is not None and sure >= 0.5 else ""
        if command is not None and not text:
            _LOGGER.debug("sphinx: %r rejected, confidence %.2f", command.text, sure)
        return Transcription(text, language, self.name, sure)

    def _make_grammar(self, vocabulary: Vocabulary, sentences: Sequence[str]) -> Grammar:
        named = (*vocabulary.areas, *vocabulary.devices)
        for word in (word for name in named for word in name.split()):
            for part in spoken(word).split():
                self._lexicon.learn(part, acronym=word.isupper())
        for word in re.findall(r"[^\W\d_][\w']*", re.sub(r"{[^}]*}|<[^>]*>", " ", " ".join(sentences))):
            self._lexicon.learn(word.casefold())
        areas = [spoken(area) for area in vocabulary.areas] or list(DEFAULT_AREAS)
        devices = [spoken(device) for device in vocabulary.devices] or list(DEFAULT_DEVICES)
        try:
            intents = get_intents("en") or {}
            return command_grammar(areas, devices, sentences, intents, self._lexicon.__contains__)
        except (ValueError, HassilError) as error:
            raise ConfigError(f"asr.providers.sphinx.sentences: {error}") from error


def checked(pronunciations: Mapping[str, str]) -> Mapping[str, str]:
    """:raises ConfigError: a phone that the acoustic model does not know."""
    for word, phones in pronunciations.items():
        unknown = [phone for phone in phones.split() if phone not in PHONES]
        if unknown:
            known = " ".join(sorted(PHONES))
            raise ConfigError(f"asr.providers.sphinx.pronunciations: {word}: no phone {unknown[0]}; there are {known}")
    return pronunciations


class SphinxSession:
    """One utterance. While all decoders are in use its audio is kept, and decoded at the end."""

    def __init__(self, engine: Sphinx, language: str) -> None:
        self._engine = engine
        self._language = language
        self._ears: Ears | None = None  # None: not begun, waiting, or ended
        self._kept: list[bytes] = []  # audio that no decoder has heard yet; the caller bounds it
        self._closed = False

    def push(self, pcm: bytes) -> None:
        """:raises EngineFailed: the session is closed, or the decoder breaks."""
        if self._closed:
            raise EngineFailed("sphinx: the session is closed")
        self._kept.append(pcm)
        if self._ears is None:
            self._take(self._engine.borrow())
        self._hear()

    def finish(self) -> Transcription:
        """:raises EngineFailed: the session is closed, or the decoder breaks."""
        if self._closed:
            raise EngineFailed("sphinx: the session is closed")
        if self._ears is None:
            self._take(self._engine.borrow() or self._engine.spare())
            self._hear()
        ears = self._ears
        assert ears is not None
        try:
            result = self._engine.judge(ears.commands.finish(), ears.phones.finish(), self._language)
        except RuntimeError as error:
            raise EngineFailed(f"sphinx: {error}") from error
        self.close()
        return result

    def close(self) -> None:
        self._closed = True
        self._kept.clear()
        if self._ears is not None:
            self._engine.give_back(self._ears)
            self._ears = None

    def _take(self, ears: Ears | None) -> None:
        if ears is not None:
            ears.start()
            self._ears = ears

    def _hear(self) -> None:
        if self._ears is None:
            return
        try:
            for pcm in self._kept:
                self._ears.push(pcm)
        except RuntimeError as error:
            raise EngineFailed(f"sphinx: {error}") from error
        self._kept.clear()
