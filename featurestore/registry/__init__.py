"""What was declared, and when: manifests as data, plans, and the table of versions."""
