"""Verification: sampled answers compared with the reference, and features that leak."""
