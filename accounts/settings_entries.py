"""The settings pages of this app as the area's menu lists them, and the models whose changes are audited."""

from segmentation_crm.common.settings_area import SettingsPage

from . import models

WATCHED = (
    models.Term,
    models.TermAlias,
    models.IndustryMapping,
    models.Product,
    models.Vendor,
    models.TechnologyProduct,
    models.Persona,
    models.Pipeline,
    models.Stage,
    models.CustomField,
    models.ExchangeRate,
    models.RoleTemplate,
    models.RoleTemplateRole,
)

ENTRIES = (
    SettingsPage(
        "Organisation", "Exchange rates", "receipt", "accounts:settings_rates", "settings.write",
        "What currencies cost in each other, by day", "money currency convert paste csv",
    ),
    SettingsPage(
        "Organisation", "Free-mail list", "mail", "accounts:settings_free_mail", "settings.write",
        "Mail providers whose addresses say nothing of a company", "gmail domain matching contacts",
    ),
    SettingsPage(
        "People", "Territories", "map-pin", "accounts:settings_territories", "users.write",
        "Regions and countries given to people and teams", "sales region country visibility",
    ),
    SettingsPage(
        "Sales process", "Pipelines and stages", "arrows-sort", "accounts:settings_pipelines", "vocabularies.write",
        "Steps of a deal, their order and chances", "probability won lost stale order",
    ),
    SettingsPage(
        "Sales process", "Role templates", "users", "accounts:settings_role_templates", "vocabularies.write",
        "Which roles a buying committee needs", "committee completeness decision maker champion weight",
    ),
    SettingsPage(
        "Words and fields", "Vocabularies", "tag", "accounts:settings_vocabularies", "vocabularies.write",
        "Industries, needs, topics, tags, reasons and other words",
        "merge rename alias tree sales region lost reason objection competitor trigger lead source",
    ),
    SettingsPage(
        "Words and fields", "Custom fields", "forms", "accounts:settings_fields", "vocabularies.write",
        "Fields of your own on accounts, contacts and deals", "choices key type",
    ),
    SettingsPage(
        "Words and fields", "Catalogues", "cpu", "accounts:settings_catalogues", "vocabularies.write",
        "Products, technologies, vendors and personas", "merge rename competitor cloud provider price",
    ),
)  # fmt: skip
