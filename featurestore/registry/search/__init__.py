"""The search in definitions: what can be found, its words, and the ranking."""
