"""Keep stored sentences right when words kept by users are renamed, moved or merged."""

from ..choices import SegmentKind
from ..models import Segment, SegmentVersion, SplitGroup
from ..rules.describe import describe
from ..rules.nodes import InvalidRule, Rule
from ..rules.validate import validate
from .rebuilding import queue_rebuild_of_all


def refresh_sentences() -> int:
    """Write the sentences that read differently now; returns how many (1 query, and a few for each segment).

    A rule that no longer validates keeps its sentence: its next rebuild marks the segment broken and says why.
    """
    changed = []
    for segment in Segment.objects.exclude(kind=SegmentKind.STATIC).only("pk", "rules", "member_type", "sentence"):
        try:
            sentence = sentence_of(segment, validate(segment.rules, segment.member_type, segment_id=segment.pk))
        except InvalidRule:
            continue
        if sentence != segment.sentence:
            segment.sentence = sentence
            changed.append(segment)
    Segment.objects.bulk_update(changed, ["sentence"])
    return len(changed)


def sentence_of(segment: Segment, rule: Rule) -> str:
    """Return the rule in words, and for a group of a split the lot that decides besides (1 query)."""
    group = SplitGroup.objects.select_related("split").filter(segment=segment.pk).first()
    words = describe(rule)
    if group is None:
        return words
    return f"{words.rstrip('.')}; {group.percent:g} % of these, drawn by lot (“{group.split.name}”)."


def write_sentence(segment: Segment) -> None:
    """Write the sentence of a group that was just drawn, and that of its first version (4 queries and more)."""
    rule = validate(segment.rules, segment.member_type, segment_id=segment.pk)
    segment.sentence = sentence_of(segment, rule)
    Segment.objects.filter(pk=segment.pk).update(sentence=segment.sentence)
    SegmentVersion.objects.filter(segment=segment, number=segment.rules_version).update(sentence=segment.sentence)


def follow_vocabulary() -> None:
    """Refresh the sentences and queue the computing of all members: records may stand under another word now."""
    if Segment.objects.exists():
        refresh_sentences()
        queue_rebuild_of_all()
