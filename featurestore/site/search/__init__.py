"""The index of the search, which a script in the page reads."""
