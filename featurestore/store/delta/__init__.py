"""Delta tables without a JVM: pinned snapshots, their log, protocol, pruning and data files."""
