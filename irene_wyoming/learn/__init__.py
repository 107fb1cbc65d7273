"""Learns wake words from a few recordings of somebody who says them."""
