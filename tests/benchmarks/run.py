"""Build the world where it is missing, measure row 9, print the table, write the JSON."""

import argparse

from django.core.management import call_command

from . import report, world
from .measure import Result, clients, measure
from .rows import rows
from .sizes import Sizes


def run(options: argparse.Namespace) -> int:
    """Run; return 0, or 1 where a page failed or a figure differs from its SQL (budgets alone do not fail)."""
    sizes = Sizes(options.contacts)
    built = prepare(sizes)
    wanted = [row for row in rows(sizes) if options.only in row.name]
    users = clients({row.user for row in wanted})
    print(report.heading())
    results: list[Result] = []
    for row in wanted:
        results.append(measure(row, users[row.user], options.requests))
        print(report.line(results[-1]), flush=True)
    print(f"{sum(one.is_within for one in results)} of {len(results)} rows within {report.BUDGET_MS:.0f} ms.")
    for number, name in report.NOT_RUN.items():
        print(f"row {number}, {name}: not run")
    if not options.only:
        print(f"Written to {report.write(report.as_dict(results, sizes, built), options.out)}")
    return int(any(one.status != 200 or not one.is_true for one in results))


def prepare(sizes: Sizes) -> float | None:
    """Bring the schema up to date and build the world where it is missing; return the seconds, None where it stood."""
    call_command("migrate", interactive=False, verbosity=0)
    if world.is_built(sizes):
        return None
    print(f"Building the reference world: {sizes.contacts:,} contacts …")
    seconds = world.build(sizes, print)
    print(f"Built in {seconds:.0f} s.")
    return seconds
