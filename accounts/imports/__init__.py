"""Imports: read a file, map its columns, write its rows in batches, keep every row's outcome."""
