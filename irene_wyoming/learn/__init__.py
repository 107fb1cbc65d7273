"""Wake words that are learned from a few recordings of somebody who says them."""
