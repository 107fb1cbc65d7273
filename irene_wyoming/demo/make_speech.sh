#!/bin/sh
# Makes the speech that `irene-wyoming demo` plays, with flite (Debian: apt-get install flite) and sox.
# Half a second of silence on both sides, as between a person's words.
set -eu
cd "$(dirname "$0")"
say() {  # VOICE FILE TEXT
    flite -voice "$1" -t "$3" -o speech.tmp.wav
    sox -D speech.tmp.wav -r 16000 -c 1 -b 16 "$2.wav" pad 0.5 0.5
    rm speech.tmp.wav
}
say rms okay_nabu "okay nah boo"
say slt turn_on_the_kitchen_light "turn on the kitchen light"
say rms how_tall_is_the_highest_mountain "how tall is the highest mountain"
