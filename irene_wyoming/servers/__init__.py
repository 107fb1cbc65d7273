"""Conversations over Wyoming: one role per server, behind a listening address with limits.

May import: the layers below.
"""
