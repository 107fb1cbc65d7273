"""Speech-to-text by another machine, over Wyoming or HTTP."""
