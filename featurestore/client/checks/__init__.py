"""Checking answers: sampled cells recomputed the naive way, and features that leak."""
