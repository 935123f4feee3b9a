"""Expectations of rows: pandera's schemas as plain functions on Arrow tables."""
