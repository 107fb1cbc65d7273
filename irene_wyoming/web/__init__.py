"""HTTP: metrics, health and the page. May import: the layers below."""
