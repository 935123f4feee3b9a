"""The lock of everything that imports definitions anew, or reads code that was imported."""

from threading import RLock

IMPORT_LOCK = RLock()
"""Held by one thread at a time: a fresh import first removes modules that others may be using."""
