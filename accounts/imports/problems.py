"""What can be wrong with a file, a mapping or a cell, in words a person can act on."""

from dataclasses import dataclass


class FileRefused(Exception):
    """The whole file cannot be imported; nothing was written."""

    def __init__(self, message: str, *, code: str = "refused", line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.line = line


class MappingRefused(FileRefused):
    """The columns cannot be mapped as asked."""


class CellProblem(Exception):
    """A cell that makes its row an error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class CellWarning(Exception):
    """A cell that stays empty, with a warning; its row is imported."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Finding:
    """One thing found in a row: an error (the row is rejected) or a warning (it is imported)."""

    column: str
    code: str
    message: str
    text: str = ""
