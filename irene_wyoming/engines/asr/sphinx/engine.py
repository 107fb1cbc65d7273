"""Sphinx: an AsrEngine on PocketSphinx with a closed grammar.

A whole utterance is decoded at once, because its noise and its cepstral mean have to be known first: decoded while it
arrives, with a mean from elsewhere, half as many noisy commands come out right. So as not to keep the person waiting,
it is decoded when they pause; unless they go on, the transcript is there before the audio ends. A decoding is one call,
so one decoder serves all sessions, and nothing of one utterance can reach the next.
"""

import logging
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pocketsphinx
from hassil.errors import HassilError
from home_assistant_intents import get_intents
from numpy.typing import NDArray

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.asr.pauses import FRAME, Pauses, Speech
from irene_wyoming.engines.asr.sphinx.commands import (
    DEFAULT_AREAS,
    DEFAULT_DEVICES,
    command_grammar,
    likelihood,
    spoken,
)
from irene_wyoming.engines.asr.sphinx.denoise import denoise
from irene_wyoming.engines.asr.sphinx.grammar import Grammar, Transition
from irene_wyoming.engines.asr.sphinx.lexicon import PHONES, Lexicon
from irene_wyoming.engines.asr.sphinx.mask import Mask
from irene_wyoming.engines.asr.sphinx.rejection import Measures, Piece, confidence, leaves_out_speech, measures
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

LONGEST = 12 * 100
"""Frames from the first to the last word, 12 s. No command is half as long, so nobody waits for what is none."""

MARGIN = 20
"""Frames decoded before and after the speech: soft sounds are below what counts as loud."""

PIECE_BYTES = SPEECH.rate // 10 * SPEECH.frame_bytes
"""100 ms, searched in 4. For as long as a call takes, the decoder keeps Python's lock, and the event loop waits."""

NOISE = 50
"""Frames before the speech that the filter hears besides: what they hold is noise."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Audio to decode."""

    samples: NDArray[np.int16]
    """16 kHz."""
    start: int
    """First sample to decode; those before it and after the end help to know the noise."""
    end: int
    loud: NDArray[np.bool_]
    """Which frames from start to end are speech."""


class Decoder:
    """PocketSphinx with one grammar."""

    def __init__(self, grammar: Grammar, lexicon: Lexicon) -> None:
        self._grammar = grammar
        self._lexicon = lexicon
        self._mask = Mask()
        self._decoder = pocketsphinx.Decoder(
            lm=None,
            dict=None,  # the lexicon adds the few words needed: 12 ms and 5 MB instead of 160 ms and 28 MB
            loglevel="FATAL",
            bestpath=False,  # 3 % better without
            # Beams a little wider and densities more than by default: 2.5 % more noisy commands. Wider: none more.
            beam=1e-52,
            pbeam=1e-52,
            wbeam=1e-34,
            topn=8,
            wip=1.0,
        )
        for word in sorted(grammar.words()):
            for number, phones in enumerate(lexicon.pronunciations(word), start=1):
                self._decoder.add_word(word if number == 1 else f"{word}({number})", phones, False)
        self._add_search("commands", len(grammar.arcs), list(grammar.transitions(likelihood)))
        self._add_search("one word", 1, [(0, 1, 1.0, min(grammar.words()))])

    def _add_search(self, name: str, final: int, transitions: Sequence[Transition]) -> None:
        self._decoder.add_fsg(name, self._decoder.create_fsg(name, 0, final, transitions))

    def decode(self, heard: Heard) -> tuple[str, Measures] | None:
        """The sentence that it is most like, and how much. None: not like any."""
        clean, snr = denoise(heard.samples, self._mask)
        pcm = np.clip(np.rint(clean[heard.start : heard.end]), -32768, 32767).astype("<i2").tobytes()
        self._decoder.reinit_feat()  # forgets the noise of the utterance before: 0.04 ms
        # PocketSphinx takes noise away, too, as it gets to know it. So it listens twice, first with next to nothing to
        # search: 4 % more commands are exact. (Its no_search only puts the search off to the end of the utterance.)
        self._run("one word", [pcm], whole=True)
        self._run("commands", [pcm[at : at + PIECE_BYTES] for at in range(0, len(pcm), PIECE_BYTES)], whole=False)
        found = self._decoder.hyp()
        # A sentence that the audio breaks off is returned as far as it goes: "turn on the".
        if found is None or not self._grammar.accepts(found.hypstr):
            return None
        pieces = list(self._pieces())
        return None if leaves_out_speech(pieces, heard.loud) else (found.hypstr, measures(pieces, snr))

    def _run(self, search: str, pieces: Sequence[bytes], *, whole: bool) -> None:
        """``whole``: the mean is taken of all of it beforehand, else what is known of the run before."""
        self._decoder.activate_search(search)
        self._decoder.start_utt()
        try:
            for piece in pieces:
                self._decoder.process_raw(piece, False, whole)
        finally:
            self._decoder.end_utt()

    def _pieces(self) -> Iterator[Piece]:
        for part in self._decoder.seg():
            if part.word == "(NULL)":
                continue
            filler = part.word.startswith(("<", "["))
            word, _, number = part.word.rstrip(")").partition("(")
            phones = 0 if filler else len(self._lexicon.pronunciations(word)[int(number or 1) - 1].split())
            # Scores come as probabilities, of base 1.0001 and scaled down: the smallest one is no number any more.
            score = math.log(max(part.ascore, 1e-300)) * 1e4
            yield Piece("" if filler else word, part.start_frame, part.end_frame + 1, score, phones)


class Sphinx:
    """English smart-home commands; what is none of them gives an empty transcript.

    :param rejection: 0 to 1; a transcript of less confidence is withheld.
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
        rejection: float = 0.5,
    ) -> None:
        self._rejection = rejection
        dictionary = Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict"))
        lexicon = Lexicon(dictionary, checked(pronunciations or {}))
        self.grammar = grammar(vocabulary, sentences, lexicon)
        self._decoder = Decoder(self.grammar, lexicon)

    def models(self) -> Sequence[ModelInfo]:
        return [MODEL]

    def session(self, request: AsrRequest) -> "SphinxSession":
        """Names and terms of the request are hints that a closed grammar has no use for: what a home calls its things
        belongs into the configuration's vocabulary.

        :raises UnknownModel, UnsupportedRequest: another model or language than there is.
        """
        if request.model not in (None, MODEL.name):
            raise unknown_model(str(request.model), [MODEL])
        language = request.language or "en"
        if language.replace("_", "-").split("-")[0].casefold() != "en":
            raise UnsupportedRequest(f"language {language!r}: sphinx knows en only")
        return SphinxSession(self, language)

    def close(self) -> None:
        """Nothing to give back: the decoder goes with the engine."""

    def transcribe(self, heard: Heard, language: str) -> Transcription:
        """What was said.

        :raises EngineFailed: the decoder breaks.
        """
        try:
            found = self._decoder.decode(heard)
        except RuntimeError as error:
            raise EngineFailed(f"sphinx: {error}") from error
        if found is None:
            return Transcription("", language, self.name, 0.0)
        text, how = found
        sure = confidence(how)
        if sure < self._rejection:
            _LOGGER.debug("sphinx: %r is withheld, confidence %.2f", text, sure)
            text = ""
        return Transcription(text, language, self.name, sure)


class SphinxSession:
    """One utterance, decoded when the speaker pauses, or else at its end."""

    def __init__(self, engine: Sphinx, language: str) -> None:
        self._engine = engine
        self._language = language
        self._pauses = Pauses()
        self._pcm = bytearray()
        self._first = 0  # frame with which _pcm begins
        self._early: tuple[int, Transcription] | None = None  # (last loud frame, what had been said up to it)
        self._closed = False

    def push(self, pcm: bytes) -> None:
        """:raises EngineFailed: the session is closed, or the decoder breaks."""
        self._check()
        self._pcm += pcm
        self._pauses.push(np.frombuffer(pcm, "<i2"))
        self._forget()
        if self._pauses.paused:
            self._decode()

    def partial(self) -> None:
        """Nothing: a command is decoded whole."""

    def finish(self) -> Transcription:
        """:raises EngineFailed: the session is closed, or the decoder breaks."""
        self._check()
        result = self._decode()
        self.close()
        return result

    def close(self) -> None:
        self._closed = True
        self._pcm.clear()

    def _check(self) -> None:
        if self._closed:
            raise EngineFailed("sphinx: the session is closed")

    def _decode(self) -> Transcription:
        """What was said so far; decoded once only for one and the same last loud frame."""
        speech = self._pauses.speech
        if speech is None or speech.end - speech.start > LONGEST:
            return Transcription("", self._language, self._engine.name, 0.0)
        if self._early is None or self._early[0] != speech.end or not self._pauses.paused:
            self._early = speech.end, self._engine.transcribe(self._heard(speech), self._language)
        return self._early[1]

    def _heard(self, speech: Speech) -> Heard:
        settled = self._pauses.settled_frames
        begin, start = max(0, speech.start - NOISE), max(0, speech.start - MARGIN)
        end = min(settled, speech.end + MARGIN)
        samples = np.frombuffer(self._pcm, "<i2")[
            (begin - self._first) * FRAME : (settled - self._first) * FRAME
        ].copy()
        return Heard(samples, (start - begin) * FRAME, (end - begin) * FRAME, self._pauses.loud(start, end))

    def _forget(self) -> None:
        """Let go of audio that no decoding will need: an open microphone may send silence for an hour."""
        speech = self._pauses.speech
        if speech is None:
            spare = self._pauses.frames - 2 * NOISE - self._first
        elif speech.end - speech.start > LONGEST:
            spare = self._pauses.frames - self._first
        else:
            spare = 0
        if spare > 0:
            del self._pcm[: spare * FRAME * SPEECH.frame_bytes]
            self._first += spare


def grammar(vocabulary: Vocabulary, sentences: Sequence[str], lexicon: Lexicon) -> Grammar:
    """The commands of a home; the lexicon learns the words of its names and of ``sentences``.

    :raises ConfigError: a sentence cannot be used.
    """
    for written in (word for name in (*vocabulary.areas, *vocabulary.devices) for word in name.split()):
        for word in spoken(written).split():
            lexicon.learn(word, acronym=written.isupper())
    for word in re.findall(r"[^\W\d_][\w']*", re.sub(r"{[^}]*}|<[^>]*>", " ", " ".join(sentences))):
        lexicon.learn(word.casefold())
    areas = [spoken(area) for area in vocabulary.areas] or DEFAULT_AREAS
    devices = [spoken(device) for device in vocabulary.devices] or DEFAULT_DEVICES
    try:
        return command_grammar(areas, devices, sentences, get_intents("en") or {}, lexicon.__contains__)
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
