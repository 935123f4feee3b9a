"""Rows of a source for a few keys, for previews."""
