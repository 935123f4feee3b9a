"""What runs: materialization of views, with its locks, ledgers and progress."""
