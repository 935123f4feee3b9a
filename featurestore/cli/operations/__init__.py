"""The verbs that operate a store: they keep it small, and find what is damaged."""
