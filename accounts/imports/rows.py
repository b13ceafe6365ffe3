"""A row as a reader yields it, whatever the kind of file."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Row:
    """One row below the headings.

    number: counted from 1, blank rows left out. line: where it starts in the file. problem: why the whole row cannot
    be used; cell_problems: column index -> why that cell cannot be.
    """

    number: int
    line: int
    cells: list[str] = field(default_factory=list)
    problem: str = ""
    code: str = ""
    cell_problems: dict[int, str] = field(default_factory=dict)
