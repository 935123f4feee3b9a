"""The guarantees of docs/security.md, each tried with hostile texts."""
