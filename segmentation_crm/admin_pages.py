"""The Django admin as a whole: what other packages register is made fit for a million rows, or left out."""

from allauth.account.admin import EmailAddressAdmin
from allauth.account.models import EmailAddress
from allauth.mfa.admin import AuthenticatorAdmin
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin

from .common.admin import CappedPaginator

# Groups give no rights here, and the schedule is the product's own: their pages would change nothing.
UNUSED_APPS = ("auth", "socialaccount", "django_celery_beat")


class OwnEmailAddressAdmin(EmailAddressAdmin):
    """E-mail addresses of users, for log-in and reset."""

    show_full_result_count = False
    paginator = CappedPaginator
    list_select_related = ("user",)
    raw_id_fields = ("user",)


class OwnAuthenticatorAdmin(AuthenticatorAdmin):
    """Second factors: deleting one lets somebody in who lost the phone."""

    show_full_result_count = False
    paginator = CappedPaginator
    list_select_related = ("user",)
    list_filter = ("type",)
    search_fields = ("user__username__startswith",)
    raw_id_fields = ("user",)


def tidy_admin(site: admin.AdminSite = admin.site) -> None:
    """Leave out the pages that mean nothing here and replace the two that do by lean ones; may be called again."""
    for label in UNUSED_APPS:
        for model in apps.get_app_config(label).get_models():
            if site.is_registered(model):
                site.unregister(model)
    for model, lean in ((EmailAddress, OwnEmailAddressAdmin), (Authenticator, OwnAuthenticatorAdmin)):
        if site.is_registered(model):
            site.unregister(model)
        site.register(model, lean)
