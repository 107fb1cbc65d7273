"""Listeners of one view share the bytes of its chunks."""

from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.format import SPEECH
from irene_wyoming.servers.mic import RECENT, Encoder
from irene_wyoming.wire.audio import chunk_event
from irene_wyoming.wire.framing import encode


def test_a_chunk_is_encoded_once_for_all_listeners() -> None:
    encoder = Encoder(SPEECH)
    chunks = [AudioChunk(SPEECH, bytes([number]) * 640, number * 320, number * 20) for number in range(RECENT + 1)]
    encoded = [encoder.encoded(chunk) for chunk in chunks]
    assert encoder.encoded(chunks[-1]) is encoded[-1]
    assert encoder.encoded(chunks[1]) is encoded[1]
    assert encoder.encoded(chunks[0]) == encoded[0]  # for one that lags far behind it is encoded again
    assert encoded[1] == encode(chunk_event(SPEECH, chunks[1].pcm, 20))
