"""Features of a definition that need not be applied."""
