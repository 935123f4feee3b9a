"""Definitions of features: frozen dataclasses, their rules, and their loading from a folder."""
