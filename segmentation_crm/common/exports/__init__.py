"""Exports: what a list shows, written to a file by a job; its owner downloads it for a day.

    export = request_export(user, "contact", "xlsx", params=request.GET)

How they run and what keeps spreadsheets from running formulas: docs/bulk-and-exports.md.
"""

from .cells import safe_cell
from .limits import EXPORTS_AN_HOUR, TooManyExports, count_export
from .requests import ExportRefused, export_path, exports_of, file_name, request_export, sweep_exports
from .writing import write_export

__all__ = [
    "EXPORTS_AN_HOUR",
    "ExportRefused",
    "TooManyExports",
    "count_export",
    "export_path",
    "exports_of",
    "file_name",
    "request_export",
    "safe_cell",
    "sweep_exports",
    "write_export",
]
