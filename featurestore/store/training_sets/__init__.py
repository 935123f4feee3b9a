"""Saved training sets: Delta tables of rows of any Arrow types, with notes in each commit."""
