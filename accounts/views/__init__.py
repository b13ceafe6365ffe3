"""Pages of records and of imports."""
