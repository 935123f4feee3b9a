"""Definitions from a Feast repository: read by Feast's own Python, translated without Feast."""
