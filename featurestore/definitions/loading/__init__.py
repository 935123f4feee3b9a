"""From files of definitions to a manifest, and from a registered name to its function."""
