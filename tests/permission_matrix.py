"""Which roles may call which route of the API with which method; a route that is not listed fails the test.

Written by hand on purpose: it does not read `common.access`. Sets of roles are named by who is in them.
"""

EVERYONE = frozenset({"admin", "marketing_manager", "sales_manager", "sales_rep", "analyst", "viewer", "integration"})
WRITERS = EVERYONE - {"analyst", "viewer"}
MANAGERS = frozenset({"admin", "marketing_manager", "sales_manager"})
MANAGERS_AND_INTEGRATION = MANAGERS | {"integration"}
ADMIN = frozenset({"admin"})
EXPORTERS = EVERYONE - {"viewer"}

READ = {"GET": EVERYONE}
Routes = dict[str, dict[str, frozenset[str]]]


def records(name: str, post: frozenset[str], patch: frozenset[str] | None, delete: frozenset[str] | None) -> Routes:
    """Return the rows of a list and its single record; None: the method does not exist."""
    one = dict(READ)
    if patch is not None:
        one["PATCH"] = patch
    if delete is not None:
        one["DELETE"] = delete
    return {f"v1/{name}/": {**READ, "POST": post}, f"v1/{name}/<pk>/": one}


def read_only(name: str) -> Routes:
    """Return the rows of a list that is only read."""
    return {f"v1/{name}/": READ, f"v1/{name}/<pk>/": READ}


def catalogue(name: str) -> Routes:
    """Return the rows of a list that managers keep, and merge entries of."""
    return {**records(name, MANAGERS, MANAGERS, None), f"v1/{name}/<pk>/merge/": {"POST": MANAGERS}}


MATRIX: Routes = {
    "schema/": READ,
    **records("accounts", WRITERS, WRITERS, MANAGERS),
    **records("contacts", WRITERS, WRITERS, MANAGERS),
    **records("opportunities", WRITERS, WRITERS, MANAGERS),
    **records("contact_accounts", WRITERS, WRITERS, WRITERS),
    **records("consents", WRITERS, None, None),
    **records("opportunity_lines", WRITERS, WRITERS, WRITERS),
    **records("contact_roles", WRITERS, WRITERS, WRITERS),
    **records("activities", WRITERS, WRITERS, WRITERS),
    "v1/activities/bulk/": {"POST": WRITERS},
    **records("content", WRITERS, WRITERS, None),
    **records("technologies", WRITERS, WRITERS, WRITERS),
    **records("needs", WRITERS, WRITERS, WRITERS),
    **records("purchases", WRITERS, WRITERS, WRITERS),
    **records("contracts", WRITERS, WRITERS, WRITERS),
    **records("support_cases", WRITERS, WRITERS, WRITERS),
    **records("survey_answers", WRITERS, WRITERS, WRITERS),
    **records("tasks", WRITERS, WRITERS, WRITERS),
    **records("notes", WRITERS, WRITERS, WRITERS),
    **records("evidence", WRITERS, WRITERS, WRITERS),
    "v1/notifications/": READ,
    "v1/notifications/<pk>/": {"GET": EVERYONE, "PATCH": EVERYONE},
    **catalogue("campaign_refs"),
    **catalogue("products"),
    **catalogue("vendors"),
    **catalogue("technology_products"),
    **catalogue("pipelines"),
    **catalogue("stages"),
    **catalogue("personas"),
    **catalogue("terms"),
    **records("custom_fields", MANAGERS, MANAGERS, None),
    **records("exchange_rates", ADMIN, ADMIN, ADMIN),
    **read_only("industry_codes"),
    **records("role_templates", MANAGERS, MANAGERS, MANAGERS),
    "v1/territories/": {"GET": ADMIN, "POST": ADMIN},
    "v1/territories/<pk>/": {"GET": ADMIN, "PATCH": ADMIN, "DELETE": ADMIN},
    **read_only("field_history"),
    **read_only("provenance"),
    **read_only("external_ids"),
    **read_only("imports"),
    **read_only("changes"),
    "v1/changes/<pk>/undo/": {"POST": WRITERS},
    "v1/imports/<pk>/rows/": READ,
    **read_only("users"),
    "v1/users/me/": READ,
    **records("teams", ADMIN, ADMIN, ADMIN),
    "v1/organisation/": {"GET": EVERYONE, "PATCH": ADMIN},
    **records("saved_views", EVERYONE, EVERYONE, EVERYONE),
    "v1/exports/": {"GET": EXPORTERS, "POST": EXPORTERS},
    "v1/exports/<pk>/": {"GET": EXPORTERS},
    "v1/exports/<pk>/download/": {"GET": EXPORTERS},
    **{f"v1/{name}/bulk/": {"POST": WRITERS} for name in ("accounts", "contacts", "opportunities")},
    **read_only("jobs"),
    "v1/jobs/<pk>/cancel/": {"POST": EVERYONE},
    **records("segments", MANAGERS_AND_INTEGRATION, MANAGERS_AND_INTEGRATION, MANAGERS_AND_INTEGRATION),
    "v1/segments/preview/": {"POST": EVERYONE},
    "v1/segments/fields/": READ,
    "v1/segments/values/": READ,
    "v1/segments/overlap/": READ,
    "v1/segments/definitions/": {"GET": EVERYONE, "POST": MANAGERS_AND_INTEGRATION},
    "v1/segments/<pk>/members/": READ,
    "v1/segments/<pk>/explain/": READ,
    "v1/segments/<pk>/nearest-misses/": READ,
    "v1/segments/<pk>/changes/": READ,
    "v1/segments/<pk>/versions/": READ,
    "v1/segments/<pk>/versions/<number>/restore/": {"POST": MANAGERS_AND_INTEGRATION},
    "v1/segments/<pk>/dry-run/": {"POST": EVERYONE},
    "v1/segments/<pk>/take-again/": {"POST": MANAGERS_AND_INTEGRATION},
    "v1/segments/<pk>/paste/": {"POST": MANAGERS_AND_INTEGRATION},
    **records("partitions", MANAGERS_AND_INTEGRATION, MANAGERS_AND_INTEGRATION, MANAGERS_AND_INTEGRATION),
    **records("splits", MANAGERS_AND_INTEGRATION, MANAGERS_AND_INTEGRATION, MANAGERS_AND_INTEGRATION),
    "v1/segments/<pk>/rebuild/": {"POST": MANAGERS_AND_INTEGRATION},
    "v1/segments/<pk>/overrides/": {"GET": EVERYONE, "POST": MANAGERS_AND_INTEGRATION},
    "v1/segments/<pk>/overrides/<override_id>/": {"DELETE": MANAGERS_AND_INTEGRATION},
}
