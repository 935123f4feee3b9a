"""Spines: read from any frame or file, made of a time grid, or of a view's events."""
