"""The Wyoming border: bytes to events and back, with a bound on everything that a peer can make us hold or wait for.

Servers and clients both use it. It knows audio formats, but no engine, no role and no configuration file.
"""
