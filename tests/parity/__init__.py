"""The engines beside each other: local, scan and shuffle give the answers of the reference."""
