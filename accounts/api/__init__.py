"""The REST API of records."""
