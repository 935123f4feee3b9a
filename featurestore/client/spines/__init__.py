"""Spines: from any frame or file, from a time grid, or from a view's events."""
