"""What a feature is: frozen dataclasses, their rules, and loading them from a folder."""
