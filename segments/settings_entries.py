"""The settings pages of this app as the area's menu lists them."""

from segmentation_crm.common.settings_area import SettingsPage

ENTRIES = (
    SettingsPage(
        "Security", "Webhooks", "bolt", "webhooks:list", "settings.write",
        "Other systems that are told who enters and leaves segments", "api integration events outbound signature",
    ),
)  # fmt: skip
