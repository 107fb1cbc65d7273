"""Wake word engines: one module with a SPEC each, loaded by entry point ``irene_wyoming.wake``."""
