"""The lists of definitions: their pages, their facets, and the scripts that choose rows."""
