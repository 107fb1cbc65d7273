"""Wake word engines: one package each, and in the modules beside them the kit that they share."""
