"""Engines behind OpenAI's HTTP API, in replicas on Ray Serve: what the provider ``remote`` can ask."""
