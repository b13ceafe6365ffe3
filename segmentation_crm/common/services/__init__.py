"""Writes of the leaf app: audit, tokens, users."""
