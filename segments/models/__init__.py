"""Models of segments, one module per noun."""

from .members import SegmentMembership, SegmentOverride
from .runs import SegmentRun
from .segments import Segment, SegmentVersion

__all__ = ["Segment", "SegmentMembership", "SegmentOverride", "SegmentRun", "SegmentVersion"]
