"""Recommendations from ratings."""
