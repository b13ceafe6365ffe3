"""People who use the product: users, teams and territories."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class Role(models.TextChoices):
    """What a user may do; what each sees stands in `common.access`."""

    ADMIN = "admin", "Admin"
    MARKETING_MANAGER = "marketing_manager", "Marketing manager"
    SALES_MANAGER = "sales_manager", "Sales manager"
    SALES_REP = "sales_rep", "Sales rep"
    ANALYST = "analyst", "Analyst"
    VIEWER = "viewer", "Viewer"
    INTEGRATION = "integration", "Integration"


class Team(models.Model):
    """Users who work together; a sales manager sees what the team's members see."""

    name = models.CharField(max_length=120, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):  # type: ignore[django-manager-missing]  # knox gives tokens a manager of its own
    """A person or an integration that logs in."""

    role = models.CharField(max_length=20, choices=Role.choices, default=Role.VIEWER)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="members")
    external_id = models.CharField(max_length=100, blank=True, default="")
    external_source = models.CharField(max_length=60, blank=True, default="")

    # Set between `set_unusable_password` and the save that makes it true.
    _loses_password = False

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values),
                name="common_user_role_known",
                violation_error_message="Role must be one of the product's seven roles.",
            ),
            models.UniqueConstraint(
                fields=["external_source", "external_id"],
                condition=~models.Q(external_id=""),
                name="common_user_external_id_unique",
            ),
        ]

    def set_unusable_password(self) -> None:
        """Take the password away; like a new one it ends what the old one opened."""
        super().set_unusable_password()
        self._loses_password = True

    def save(self, *args, **kwargs) -> None:
        """Save; the role admin and the flags of Django's admin go together.

        A changed password ends the API tokens; sessions end by themselves, being bound to the password's hash.
        A hash that is only renewed at log-in changes no password: Django then leaves `_password` empty.
        """
        ends_access = self.pk is not None and (getattr(self, "_password", None) is not None or self._loses_password)
        # Only on creation may the flag make the role (createsuperuser); later it would undo every change of role.
        if self._state.adding and self.is_superuser:
            self.role = Role.ADMIN
        self.is_staff = self.role == Role.ADMIN
        self.is_superuser = self.role == Role.ADMIN
        super().save(*args, **kwargs)
        self._loses_password = False
        if ends_access:
            from ..services.users import end_access  # services stand on models; only this one act leads back

            end_access(self)

    @property
    def display_name(self) -> str:
        """Return the full name, else the username."""
        return self.get_full_name() or self.username


class Territory(models.Model):
    """A named set of sales-region nodes and countries, assigned to users and teams.

    `region_slugs` are slugs of terms of the vocabulary sales_region (each node stands for all below it);
    they are kept by slug because terms live in `accounts`, above this app.
    """

    name = models.CharField(max_length=120, unique=True)
    countries = models.JSONField(default=list, blank=True, help_text="ISO 3166-1 alpha-2 codes")
    region_slugs = models.JSONField(default=list, blank=True, help_text="Slugs of sales-region nodes")
    users = models.ManyToManyField(User, blank=True, related_name="territories")
    teams = models.ManyToManyField(Team, blank=True, related_name="territories")

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "territories"

    def __str__(self) -> str:
        return self.name
