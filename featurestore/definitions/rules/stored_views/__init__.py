"""Rules of stored views that are derived, that are snapshots, or whose drift is watched."""
