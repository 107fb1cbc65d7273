"""Clients that keep a server as busy as a household does: satellites, speakers, listeners."""
