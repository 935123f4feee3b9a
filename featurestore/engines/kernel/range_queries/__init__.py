"""Structures that answer questions about any range of slots: exact sums, extremes and ranks."""
