#!/bin/sh
# Makes the speech in tests/speech/asr and tests/speech/de: 16 kHz 16-bit mono, 0.3 s of silence before the words and 0.4 s after them.
# Needs flite, espeak-ng and sox. The tests use the committed files and need none of them. The file's name is what is said.
set -eu
cd "$(dirname "$0")"
mkdir -p asr de

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

sagen() { # voice, words...
    name=$(echo "$2" | tr ' ' '_')
    espeak-ng -v "$1" -s 150 -w "de/$name.raw.wav" "$2"
    sox -D "de/$name.raw.wav" -r 16000 "de/$name.wav" pad 0.3 0.4
    rm "de/$name.raw.wav"
}

# German, for the small German model
sagen de+f2 "schalte die stehlampe aus"
sagen de+m3 "schalte das licht im wohnzimmer ein"
