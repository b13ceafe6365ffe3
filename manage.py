#!/usr/bin/env python
"""Run Django's commands for the project."""

import os
import sys


def main() -> None:
    """Hand the command line to Django with the project's settings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "segmentation_crm.settings")
    # A command has no reader who waits: it gets a worker's limits of PostgreSQL, not a page's five seconds.
    if "runserver" not in sys.argv[1:2]:
        os.environ.setdefault("DATABASE_ROLE", "worker")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
