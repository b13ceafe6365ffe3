"""Models of segments, one module per noun."""

from .changes import MembershipChange
from .divisions import Partition, PartitionPart, SnapshotKeys, Split, SplitGroup
from .members import SegmentMembership, SegmentOverride
from .runs import SegmentRun
from .segments import Segment, SegmentVersion
from .states import SegmentState

__all__ = [
    "MembershipChange",
    "Partition",
    "PartitionPart",
    "Segment",
    "SegmentMembership",
    "SegmentOverride",
    "SegmentRun",
    "SegmentState",
    "SegmentVersion",
    "SnapshotKeys",
    "Split",
    "SplitGroup",
]
