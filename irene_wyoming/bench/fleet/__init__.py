"""Many satellites and speakers on several servers behind a real HAProxy, while servers die, are restarted, or slow."""
