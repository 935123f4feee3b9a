"""SQL over the project's tables: it only reads."""
