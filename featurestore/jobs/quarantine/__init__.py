"""The quarantine of views: its rows, and their release."""
