"""Maintenance of the store: compaction, removal of what no reader needs, and checkpoints."""
