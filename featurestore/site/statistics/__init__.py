"""Drawings of a feature's statistics, now and over time."""
