"""How a hub finds the servers: zeroconf on the local network, the Supervisor inside Home Assistant."""
