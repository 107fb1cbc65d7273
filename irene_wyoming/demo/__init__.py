"""Speech that comes with the program: a wake word and a command."""
