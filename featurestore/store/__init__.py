"""The tables of a project: their addresses, Delta snapshots and ledgers. It needs no JVM."""
