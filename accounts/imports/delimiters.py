"""Find the delimiter by how evenly it cuts the records; ask where two fit alike."""

import io
from collections.abc import Sequence
from itertools import islice

from .csv_records import read_records
from .problems import FileRefused

NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", "": "none"}
CANDIDATES = (",", ";", "\t", "|")
_SAMPLE_RECORDS = 300
# Two candidates whose evenness differs by less than this are a question, not an answer.
_CLOSE = 0.1


def score(sample: str, delimiter: str) -> tuple[float, int]:
    """Return (evenness, width of the heading): the share of records as wide as the heading."""
    records = list(islice(read_records(io.StringIO(sample, newline=""), delimiter), _SAMPLE_RECORDS))
    widths = [len(r.cells) for r in records if not r.problem and any(c.strip() for c in r.cells)]
    if not widths or widths[0] < 2:
        return 0.0, 1
    return sum(w == widths[0] for w in widths) / len(widths), widths[0]


def detect_delimiter(sample: str, candidates: Sequence[str] = CANDIDATES) -> str:
    """Return the delimiter, or "" for a file of one column.

    Raises FileRefused where two delimiters fit alike: the user has to say which.
    """
    scored = sorted(
        ((*score(sample, delimiter), delimiter) for delimiter in candidates),
        key=lambda item: (item[0], item[1]),
        reverse=True,
    )
    fitting = [item for item in scored if item[1] >= 2]
    if not fitting:
        return ""
    if len(fitting) > 1 and fitting[0][0] - fitting[1][0] < _CLOSE:
        names = " or ".join(NAMES[item[2]] for item in fitting[:2])
        raise FileRefused(
            f"The delimiter could be {names}: both cut the rows evenly. Say which one it is.",
            code="ambiguous_delimiter",
        )
    return fitting[0][2]


def parse_delimiter(text: str) -> str:
    """Return the delimiter for a name (semicolon, tab …) or for the character itself.

    Raises FileRefused for anything else.
    """
    by_name = {name: char for char, name in NAMES.items()}
    if text in by_name:
        return by_name[text]
    if text == "\\t":
        return "\t"
    if len(text) == 1 and text not in '"\r\n':
        return text
    raise FileRefused("The delimiter must be one character, or comma, semicolon, tab, pipe or none.")
