"""Import a CSV, .csv.gz or XLSX file."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.choices import SourceType
from accounts.imports.error_file import write_error_file
from accounts.imports.mapping import parse_map
from accounts.imports.options import ImportOptions
from accounts.imports.problems import FileRefused
from accounts.imports.service import Result, import_file
from accounts.imports.types import IMPORT_TYPES

_SHOWN = 10


class Command(BaseCommand):
    """`manage.py import_data FILE --as TYPE`; the last line of the output is JSON."""

    help = "Import a CSV, .csv.gz or XLSX file. The last line is JSON: created, updated, unchanged, invalid, warnings."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="A .csv, .csv.gz or .xlsx file")
        parser.add_argument("--as", dest="type", required=True, choices=list(IMPORT_TYPES), metavar="TYPE",
                            help=f"What the rows are: {', '.join(IMPORT_TYPES)}")  # fmt: skip
        parser.add_argument("--map", action="append", default=[], metavar="COLUMN=TARGET",
                            help='Such as "Sector=industry"; an empty target leaves the column out')  # fmt: skip
        parser.add_argument("--no-guess", action="store_true", help="Map only what --map says")
        parser.add_argument("--key", default="", metavar="TARGET", help="What finds the record; several joined by +")
        parser.add_argument("--create-fields", action="store_true", help="Turn unmapped columns into custom fields")
        parser.add_argument("--create-accounts", action="store_true", help="Add accounts that rows name and nobody has")
        parser.add_argument("--null", action="append", default=[], metavar="TEXT", help="A text that means empty")
        parser.add_argument("--dry-run", action="store_true", help="Do everything, then roll it back")
        parser.add_argument("--source", default="import", help="The system that external ids belong to")
        parser.add_argument("--encoding", default="", help="Instead of finding it out")
        parser.add_argument("--delimiter", default="", help="Instead of finding it out: comma, semicolon, tab, pipe")
        parser.add_argument("--sheet", default="", help="Which sheet of a workbook")
        parser.add_argument("--decimal", default="", choices=["", "point", "comma"], help="The decimal sign")
        parser.add_argument("--date-order", default="", choices=["", "dmy", "mdy"], help="Order of numeric dates")
        parser.add_argument("--no-sources", action="store_true", help="Keep no source of each value; faster")
        parser.add_argument("--source-type", default="secondary", choices=SourceType.values,
                            help="Whether the values were asked for by ourselves or read elsewhere")  # fmt: skip
        parser.add_argument("--errors", default="", metavar="FILE", help="Write rejected rows with reasons to this CSV")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["file"])
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        try:
            chosen = ImportOptions(
                type=options["type"],
                map=parse_map(options["map"]),
                guess=not options["no_guess"],
                key=options["key"],
                create_fields=options["create_fields"],
                create_accounts=options["create_accounts"],
                nulls=tuple(options["null"]),
                source=options["source"],
                encoding=options["encoding"],
                delimiter=options["delimiter"],
                sheet=options["sheet"],
                decimal=options["decimal"],
                date_order=options["date_order"],
                sources=not options["no_sources"],
                source_type=options["source_type"],
            )
            result = import_file(path, chosen, dry_run=options["dry_run"])
        except FileRefused as refused:
            raise CommandError(refused.message) from None
        self._report(result)
        if options["errors"] and not options["dry_run"]:
            with Path(options["errors"]).open("w", encoding="utf-8", newline="") as out:
                write_error_file(result.record, out)
        self.stdout.write(json.dumps(result.as_json(), ensure_ascii=False))

    def _report(self, result: Result) -> None:
        mapped = ", ".join(f"{column}={target}" for column, target in result.record.mapping.items() if target)
        self.stdout.write(f"Mapped: {mapped}. Key: {' + '.join(result.plan.key)}.")
        if result.plan.unmapped:
            self.stdout.write(f"Left out: {', '.join(result.plan.unmapped)}.")
        if result.record.error:
            self.stdout.write(result.record.error)
        for row in result.rejected[:_SHOWN]:
            reasons = "; ".join(f"{f['column']}: {f['message']}".lstrip(": ") for f in row.findings)
            self.stderr.write(f"Row {row.number} (line {row.line}) rejected. {reasons}")
