"""Keep stored sentences right when words kept by users are renamed, moved or merged."""

from ..choices import SegmentKind
from ..models import Segment
from ..rules.describe import describe
from ..rules.nodes import InvalidRule
from ..rules.validate import validate
from .rebuilding import queue_rebuild_of_all


def refresh_sentences() -> int:
    """Write the sentences that read differently now; returns how many (1 query, and a few for each segment).

    A rule that no longer validates keeps its sentence: its next rebuild marks the segment broken and says why.
    """
    changed = []
    for segment in Segment.objects.exclude(kind=SegmentKind.STATIC).only("pk", "rules", "member_type", "sentence"):
        try:
            sentence = describe(validate(segment.rules, segment.member_type, segment_id=segment.pk))
        except InvalidRule:
            continue
        if sentence != segment.sentence:
            segment.sentence = sentence
            changed.append(segment)
    Segment.objects.bulk_update(changed, ["sentence"])
    return len(changed)


def follow_vocabulary() -> None:
    """Refresh the sentences and queue the computing of all members: records may stand under another word now."""
    if Segment.objects.exists():
        refresh_sentences()
        queue_rebuild_of_all()
