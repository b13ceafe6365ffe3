"""What every installation starts with: code trees, a pipeline, words of some vocabularies, the role template.

Runs after every migration and puts in only what is missing; what users renamed or removed stays so.
"""

import csv
from pathlib import Path
from typing import Any

from django.apps import apps as current_apps
from django.db import connections, transaction
from django.utils.text import slugify

from segmentation_crm.common.folding import fold

DATA = Path(__file__).resolve().parent.parent / "data"
CODE_FILES = {"sic": "sic_1987.csv", "naics": "naics_2022.csv"}
TECHNOLOGY_CATEGORIES = {
    "crm": "CRM",
    "erp": "ERP",
    "map": "Marketing automation",
    "data_warehouse": "Data warehouse",
    "cloud": "Cloud",
    "security": "Security",
    "collaboration": "Collaboration",
    "ecommerce": "E-commerce",
    "analytics": "Analytics",
    "integration": "Integration",
    "other": "Other",
}
# name, slug, is_won, is_lost
STAGES = (
    ("Qualification", "qualification", False, False),
    ("Proposal", "proposal", False, False),
    ("Negotiation", "negotiation", False, False),
    ("Won", "won", True, False),
    ("Lost", "lost", False, True),
)
# Without any reason to choose nobody could lose a deal; users rename, merge and add.
LOST_REASONS = {
    "price": "Price",
    "competitor": "Chose a competitor",
    "no-decision": "No decision",
    "no-budget": "No budget",
    "missing-feature": "Missing feature",
    "timing": "Timing",
    "no-response": "No response",
}
# What makes a company look for something new; interview notes and calls pick from them.
TRIGGERS = {
    "funding-round": "Funding round",
    "new-executive": "New executive",
    "merger-acquisition": "Merger or acquisition",
    "market-expansion": "Expansion into a new market",
    "hiring": "Hiring wave",
    "cost-pressure": "Cost pressure",
    "regulation": "New regulation",
    "contract-ends": "Contract with another vendor ends",
    "system-end-of-life": "System reaches its end of life",
    "security-incident": "Security incident",
    "reorganisation": "Reorganisation",
    "audit": "Audit or certification",
}
ROLE_GROUPS = ("executive", "technical", "financial", "user")


def install_defaults(using: str = "default", apps: Any = None, **kwargs: Any) -> None:
    """Put in what is missing (7 queries when nothing is); does nothing while tables are missing."""
    apps = apps or current_apps
    tables = set(connections[using].introspection.table_names())
    if not {"accounts_industrycode", "accounts_term", "accounts_stage", "accounts_roletemplaterole"} <= tables:
        return
    with transaction.atomic(using=using):
        load_industry_codes(apps.get_model("accounts", "IndustryCode"))
        _terms(apps.get_model("accounts", "Term"), "technology_category", TECHNOLOGY_CATEGORIES)
        _terms(apps.get_model("accounts", "Term"), "lost_reason", LOST_REASONS)
        _terms(apps.get_model("accounts", "Term"), "trigger", TRIGGERS)
        _pipeline(apps.get_model("accounts", "Pipeline"), apps.get_model("accounts", "Stage"))
        _role_template(apps.get_model("accounts", "RoleTemplate"), apps.get_model("accounts", "RoleTemplateRole"))


def load_industry_codes(model: Any) -> int:
    """Load SIC 1987 and NAICS 2022 where a system has no code yet; returns how many were added.

    A node's path lists the codes from the root ("/D/35/357/3571/"), so that "under" is a prefix.
    """
    present = set(model.objects.order_by().values_list("system", flat=True).distinct())
    added = 0
    for system, name in CODE_FILES.items():
        if system in present:
            continue
        with (DATA / name).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        level = [row for row in rows if not row["parent_code"]]
        known: dict[str, Any] = {}
        while level:
            made = [_code(model, system, row, known.get(row["parent_code"])) for row in level]
            model.objects.bulk_create(made, batch_size=1000)
            added += len(made)
            known |= {code.code: code for code in made}
            codes = {code.code for code in made}
            level = [row for row in rows if row["parent_code"] in codes]
    return added


def _code(model: Any, system: str, row: dict[str, str], parent: Any) -> Any:
    above = parent.path if parent is not None else "/"
    return model(
        system=system,
        code=row["code"],
        title=row["title"].strip(),
        level=row["level"],
        parent=parent,
        path=f"{above}{row['code']}/",
    )


def _terms(model: Any, vocabulary: str, terms: dict[str, str]) -> None:
    if model.objects.filter(vocabulary=vocabulary).exists():
        return
    for position, (slug, name) in enumerate(terms.items(), start=1):
        term = model.objects.create(
            vocabulary=vocabulary, slug=slug, name=name, name_folded=fold(name), position=position
        )
        # A model of a migration has no save() of its own.
        model.objects.filter(pk=term.pk).update(path=f"/{term.pk}/")


def _pipeline(pipelines: Any, stages: Any) -> None:
    if pipelines.objects.exists() or stages.objects.exists():
        return
    pipeline = pipelines.objects.create(name="Sales", name_folded="sales", slug=slugify("Sales"), is_default=True)
    for position, (name, slug, is_won, is_lost) in enumerate(STAGES, start=1):
        stages.objects.create(
            pipeline=pipeline,
            name=name,
            name_folded=fold(name),
            slug=f"{pipeline.slug}-{slug}",
            position=position * 10,
            is_won=is_won,
            is_lost=is_lost,
        )


def _role_template(templates: Any, roles: Any) -> None:
    if templates.objects.exists():
        return
    template = templates.objects.create(name="Default", is_default=True)
    for group in ROLE_GROUPS:
        roles.objects.create(template=template, role_group=group, minimum=1, weight=1)
