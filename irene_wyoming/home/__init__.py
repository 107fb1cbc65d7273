"""What Home Assistant tells of a home: the names of its rooms and things. May import: the layers below."""
