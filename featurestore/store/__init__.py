"""Where things lie: layout, snapshots of Delta tables, and the ledger of runs. No JVM."""
