"""Speech-to-text engines: one package each, and in the modules beside them the kit that they share."""
