"""Load and remove the demo data: one seed, the same records every time, dates relative to today."""

import random

from django.db import models, transaction
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
from segmentation_crm.common.models import Team, User

from . import records, segments, words

SOURCE = records.SOURCE
SEED = 20261121
# In this order, so that nothing is deleted while others point to it; what hangs on an account goes with it.
MODELS: tuple[type[models.Model], ...] = (
    Activity,
    Purchase,
    Opportunity,
    Contact,
    Account,
    CampaignRef,
    ContentItem,
    Product,
    TechnologyProduct,
    Vendor,
)


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
        for model in MODELS:
            found = model._default_manager.filter(source=SOURCE)
            gone += found.count()
            found.delete()
        for rep in User.objects.filter(external_source=SOURCE):
            _remove_rep(rep)
        Team.objects.filter(name=words.TEAM, members=None).delete()
    return gone


def _remove_rep(rep: User) -> None:
    """Delete a demo rep, or deactivate the one whom people gave records of their own."""
    try:
        with transaction.atomic():
            rep.delete()
    except models.ProtectedError:
        rep.is_active = False
        rep.save()
