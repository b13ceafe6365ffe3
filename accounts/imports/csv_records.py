"""Split delimited text into records: strict about quotes, exact about lines, flat in memory."""

import csv
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from .limits import MAX_LINE_CHARS, MAX_QUOTED_CHARS


@dataclass(slots=True)
class Record:
    """One record with the line it starts on; `problem` says why it cannot be used."""

    line: int
    cells: list[str] = field(default_factory=list)
    problem: str = ""


class _LineTooLong(Exception):
    pass


class _Lines:
    """Feeds csv.reader, remembers the lines of the current record and can take some of them back."""

    def __init__(self, stream: io.TextIOBase) -> None:
        self.stream = stream
        self.number = 0
        self.taken: list[tuple[int, str]] = []
        self.returned: deque[tuple[int, str]] = deque()
        self.suspect = False
        self._chars = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self.returned:
            number, line = self.returned.popleft()
            self.suspect = True
        else:
            line = self.stream.readline(MAX_LINE_CHARS + 1)
            if not line:
                raise StopIteration
            self.number += 1
            number = self.number
            if len(line) > MAX_LINE_CHARS:
                self.taken.append((number, ""))
                self._skip_rest(line)
                raise _LineTooLong
        self.taken.append((number, line))
        self._chars += len(line)
        if self._chars > MAX_QUOTED_CHARS and len(self.taken) > 1:
            raise csv.Error("quote never closed")
        return line

    def _skip_rest(self, line: str) -> None:
        while line and not line.endswith(("\n", "\r")):
            line = self.stream.readline(MAX_LINE_CHARS)

    def begin(self) -> None:
        self.taken.clear()
        self.suspect = False
        self._chars = 0

    def give_back_all_but_first(self) -> None:
        self.returned.extendleft(reversed(self.taken[1:]))


def read_records(stream: io.TextIOBase, delimiter: str) -> Iterator[Record]:
    """Yield the records; empty lines are dropped.

    A quote that is never closed, or text after a closing quote, makes its first line a record with a problem; the
    reader goes on with the next line, so that one bad quote never swallows good rows.
    """
    lines = _Lines(stream)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _LineTooLong:
            yield Record(lines.taken[0][0], [], f"line longer than {MAX_LINE_CHARS:,} characters")
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            continue
        except csv.Error as error:
            yield Record(lines.taken[0][0], [], _quote_problem(str(error), len(lines.taken)))
            lines.give_back_all_but_first()
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            continue
        if not cells:
            continue
        number, first = lines.taken[0]
        if lines.suspect and '"' in first and any('"' in cell for cell in cells) and '""' not in first:
            # What follows an unclosed quote may be the tail of its cell.
            yield Record(number, cells, "stray quote after a line whose quote was never closed")
            continue
        yield Record(number, cells)


def _quote_problem(message: str, lines_taken: int) -> str:
    if "expected after" in message and lines_taken == 1:
        return "text after a closing quote; double the quotes inside a quoted cell"
    return "a quote opens here and is never closed properly"
