"""guided: an open neural recogniser whose search is guided by the commands of the home."""
