"""Definitions of segments in and out, as JSON or YAML: docs/segment-definitions.md."""

from .documents import FORMATS, BadDocument, dumped, loaded
from .exporting import CannotExport, document_of
from .importing import CONFLICTS, Imported, Item, import_document

__all__ = [
    "CONFLICTS",
    "FORMATS",
    "BadDocument",
    "CannotExport",
    "Imported",
    "Item",
    "document_of",
    "dumped",
    "import_document",
    "loaded",
]
