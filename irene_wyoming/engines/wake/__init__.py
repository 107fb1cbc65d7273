"""Wake word engines: one package each, and the kit of modules that they share."""
