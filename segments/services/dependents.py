"""What depends on a segment: asked before its rule changes, and before it goes out of use."""

from dataclasses import dataclass

from django.urls import reverse

from segmentation_crm.common.extensions import segment_dependents
from segmentation_crm.common.models import SavedView

from ..models import Partition, Segment, Split
from ..queries import SegmentGraph, references_in

Entry = tuple[str, str, str]


@dataclass(frozen=True)
class Dependent:
    """One thing that depends on a segment: its kind ("segment", "saved view"), its name, its page ("" for none)."""

    kind: str
    name: str
    url: str = ""

    def __str__(self) -> str:
        return f"{self.kind} “{self.name}”"


def dependents_of(segment: Segment) -> list[Dependent]:
    """Return all that depends on the segment, of every app (4 queries here, and those of the others)."""
    return [Dependent(*entry) for provider in segment_dependents for entry in provider(segment)]


def own_dependents(segment: Segment) -> list[Entry]:
    """Return the segments, partitions, splits and saved views that depend on the segment (6 queries).

    Parts of partitions and groups of splits are named by the partition or split they belong to.
    """
    graph = SegmentGraph()
    near = Segment.objects.filter(pk__in=graph.read_by[segment.pk]).order_by("name")
    plain = near.filter(partition_part__isnull=True, split_group__isnull=True)
    found: list[Entry] = [
        ("child segment" if other.parent_id == segment.pk else "segment", other.name, other.get_absolute_url())
        for other in plain.only("name", "slug", "parent_id")
    ]
    partitions = Partition.objects.filter(parts__segment__in=near) | Partition.objects.filter(base=segment)
    found += [("partition", one.name, one.get_absolute_url()) for one in partitions.distinct().order_by("name")]
    splits = Split.objects.filter(base=segment) | Split.objects.filter(groups__segment__in=near)
    found += [("split", one.name, one.get_absolute_url()) for one in splits.distinct().order_by("name")]
    return found + _views(segment)


def part_of(segment: Segment) -> list[Dependent]:
    """Return the partition or split that the segment is a part of (2 queries)."""
    partitions = Partition.objects.filter(parts__segment=segment)
    splits = Split.objects.filter(groups__segment=segment)
    return [
        *(Dependent("partition", one.name, one.get_absolute_url()) for one in partitions),
        *(Dependent("split", one.name, one.get_absolute_url()) for one in splits),
    ]


def _views(segment: Segment) -> list[Entry]:
    """Return the saved views whose rule names the segment; of a private one only whose it is."""
    found: list[Entry] = []
    for view in SavedView.objects.exclude(rules=None).select_related("owner").order_by("name"):
        if not {segment.slug, segment.pk} & set(references_in(view.rules)):
            continue
        private = view.visibility == SavedView.Visibility.PRIVATE
        found.append(("saved view", f"{view.owner.display_name}'s own" if private else view.name, _list_url(view)))
    return found


def _list_url(view: SavedView) -> str:
    names = {"account": "accounts:account_list", "contact": "accounts:contact_list"}
    if view.visibility == SavedView.Visibility.PRIVATE or view.record not in names:
        return ""
    return f"{reverse(names[view.record])}?view={view.pk}"
