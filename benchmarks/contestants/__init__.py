"""Whoever answers the workloads: each a program of its own, run in an environment of its own.

Peers import nothing of featurestore, which their environments do not have.
"""
