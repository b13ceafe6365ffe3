"""The rows of an UpSet chart: which dots are filled, the line between them, the bar; measures in pixels."""

from collections.abc import Callable
from dataclasses import dataclass

from .computing import Overlap

PITCH = 18
HEIGHT = 26
RADIUS = 5.5


@dataclass(frozen=True)
class Dot:
    """One dot of a row: its place, and whether the records are in that segment."""

    x: float
    filled: bool


@dataclass(frozen=True)
class Row:
    """One intersection: the names it is in, how many, and how it is drawn. width: the bar's length in per cent."""

    names: list[str]
    others: int
    count: int
    share: float | None
    url: str
    dots: list[Dot]
    line: tuple[float, float] | None
    width: str

    @property
    def degree(self) -> int:
        """Return in how many segments the records are."""
        return len(self.names)

    @property
    def words(self) -> str:
        """Return which records these are: "in A and B, and in none of the other 2"."""
        inside = self.names[0] if len(self.names) == 1 else f"{', '.join(self.names[:-1])} and {self.names[-1]}"
        if not self.others:
            return f"in {inside}"
        return (
            f"in {inside}, and not in the other one"
            if self.others == 1
            else (f"in {inside}, and in none of the other {self.others}")
        )


def dots_width(segments: int) -> int:
    """Return how wide the dots of a row are."""
    return segments * PITCH


def rows_of(found: Overlap, address: Callable[[list[str], list[str]], str]) -> list[Row]:
    """Return a row for every region, the largest first; `address` takes the slugs inside and outside."""
    largest = found.regions[0].count if found.regions else 0
    rows = []
    for region in found.regions:
        inside = [index for index in range(len(found.segments)) if region.inside(index)]
        outside = [index for index in range(len(found.segments)) if not region.inside(index)]
        centres = [PITCH * (index + 0.5) for index in range(len(found.segments))]
        rows.append(
            Row(
                names=[found.segments[index].name for index in inside],
                others=len(outside),
                count=region.count,
                share=region.count / found.total if found.total else None,
                url=address([found.segments[i].slug for i in inside], [found.segments[i].slug for i in outside]),
                dots=[Dot(x, index in inside) for index, x in enumerate(centres)],
                line=(centres[inside[0]], centres[inside[-1]]) if len(inside) > 1 else None,
                width=f"{max(0.6, region.count * 100 / largest):.2f}",
            )
        )
    return rows
