"""Checking answers: sampled cells recomputed by the reference, and features that leak."""
