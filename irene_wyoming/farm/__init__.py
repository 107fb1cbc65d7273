"""Engines behind OpenAI's HTTP API, as replicas on Ray Serve. The provider ``remote`` can ask them."""
