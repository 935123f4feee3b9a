"""The registry as a static website: built from the registry, ledgers and Delta logs, no JVM."""
