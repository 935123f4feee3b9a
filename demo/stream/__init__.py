"""Payments that arrive, features that follow within seconds, and a model that scores each one."""
