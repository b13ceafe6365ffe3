"""Models of segments, one module per noun."""

from .changes import MembershipChange
from .divisions import Partition, PartitionPart, SnapshotKeys, Split, SplitGroup
from .members import SegmentMembership, SegmentOverride
from .refreshing import MovedMembers, RefreshState
from .runs import SegmentRun
from .segments import Segment, SegmentVersion
from .states import SegmentState
from .webhooks import Webhook, WebhookDelivery

__all__ = [
    "MembershipChange",
    "MovedMembers",
    "Partition",
    "PartitionPart",
    "RefreshState",
    "Segment",
    "SegmentMembership",
    "SegmentOverride",
    "SegmentRun",
    "SegmentState",
    "SegmentVersion",
    "SnapshotKeys",
    "Split",
    "SplitGroup",
    "Webhook",
    "WebhookDelivery",
]
