"""Conversations over Wyoming: the bounded border, one role per server, the listening address.

May import: the layers below.
"""
