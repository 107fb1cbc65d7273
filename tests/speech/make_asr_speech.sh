#!/bin/sh
# Makes the speech in tests/speech/asr: 16 kHz 16-bit mono, 0.3 s of silence before the words and 0.4 s after them.
# Needs flite and sox. The tests use the committed files and need neither. The file's name is what is said.
set -eu
cd "$(dirname "$0")"
mkdir -p asr

say() { # voice, words...
    name=$(echo "$2" | tr ' ' '_')
    flite -voice "$1" -t "$2" -o "asr/$name.raw.wav"
    sox -D "asr/$name.raw.wav" "asr/$name.wav" pad 0.3 0.4
    rm "asr/$name.raw.wav"
}

# Commands of the default grammar
say slt "turn on the living room light"
say rms "set the bedroom brightness to fifty percent"
say kal16 "set a timer for five minutes"
# Ordinary speech, among it words of commands
say slt "the light of the moon was very bright"
say rms "we need to talk about the kitchen"
say kal16 "she turned around and walked away"
# With what people say around a command, and near one
say rms "please turn on the kitchen light"
say slt "could you turn off the kitchen lights please"
say rms "um close the garage door"
say slt "dim the kitchen lights"
say rms "turn everything off"
say slt "set the timer for an hour and a half"
say rms "turn on the living room lamp"
say slt "set the temperature to twenty one and a half degrees"
say rms "turn on the mum and dad's room lights"
say slt "turn on the led strip number two"
say rms "set the thermostat to fifteen degrees"
say slt "unlock the back door"
say slt "what day is it"
say rms "turn that off"
