"""The reference world of the budgets, and what is measured in it: `make bench` (see docs/performance.md)."""
