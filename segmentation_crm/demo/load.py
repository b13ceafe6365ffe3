"""Load and remove the demo data: one seed, the same records every time, dates relative to today."""

import random

from django.db import transaction
from django.utils import timezone

from accounts.models import (
    Account,
    Activity,
    CampaignRef,
    Contact,
    ContentItem,
    Opportunity,
    Product,
    Purchase,
    TechnologyProduct,
    Vendor,
)

from . import records, segments

SOURCE = records.SOURCE
SEED = 20261121


def is_loaded() -> bool:
    """Tell whether demo records exist (1 query)."""
    return Account.objects.filter(source=SOURCE).exists()


def load() -> bool:
    """Load the demo data once; return False where it is there already."""
    if is_loaded():
        return False
    rng = random.Random(SEED)  # noqa: S311 (the same invented records every time, nothing secret)
    with transaction.atomic():
        records.load(rng, timezone.now())
        segments.load()
    return True


def remove() -> int:
    """Remove exactly the demo records; return how many records went."""
    with transaction.atomic():
        for segment in segments.demo_segments():
            segment.delete()
        gone = 0
        for model in (Activity, Purchase, Opportunity, Contact, Account):
            found = model.objects.filter(source=SOURCE)
            gone += found.count()
            found.delete()
        for model in (CampaignRef, ContentItem, Product, TechnologyProduct, Vendor):
            model.objects.filter(source=SOURCE).delete()
    return gone
