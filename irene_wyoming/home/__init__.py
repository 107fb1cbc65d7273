"""What Home Assistant tells about a home: the names of its rooms and things. May import: the layers below."""
