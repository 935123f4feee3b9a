"""The contestants: programs that answer the workloads, each in an environment of its own.

Peers import nothing of featurestore, which is not installed in their environments.
"""
