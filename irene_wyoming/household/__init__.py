"""Clients that keep a server busy as a household does: satellites, speakers, listeners."""
