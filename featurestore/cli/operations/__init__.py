"""The verbs that operate a store: they keep it small, find damage, and export schedules."""
