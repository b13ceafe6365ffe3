"""Finding anything from anywhere: the command palette, pages and actions by name, what was opened lately."""
