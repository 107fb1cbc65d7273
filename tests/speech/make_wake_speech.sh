#!/bin/sh
# Makes the wake words in tests/speech/wake: 16 kHz 16-bit mono, 0.3 s of silence before the word and 0.4 s after it.
# Needs flite and sox. The tests use the committed files and need neither.
# Spellings and voices are those that the engines understand: a synthesiser does not know these names.
set -eu
cd "$(dirname "$0")"
mkdir -p wake

say() { # word, text, voices...
    word=$1 text=$2
    shift 2
    for voice in "$@"; do
        flite -voice "$voice" -t "$text" -o "wake/$word.$voice.raw.wav"
        sox -D "wake/$word.$voice.raw.wav" "wake/${word}_$voice.wav" pad 0.3 0.4
        rm "wake/$word.$voice.raw.wav"
    done
}

say okay_nabu "okay nah boo" rms kal16
say hey_jarvis "hey jarvis" slt rms
say alexa "alexa" slt kal16
say hey_mycroft "hey my croft" slt kal16
say hey_rhasspy "hey raspy" slt kal16
