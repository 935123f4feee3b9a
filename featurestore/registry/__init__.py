"""The registry: applied definitions as JSON, plans of changes, and the table of versions."""
