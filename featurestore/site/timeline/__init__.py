"""The drawn timelines of features and of the cases in docs/semantics.md."""
