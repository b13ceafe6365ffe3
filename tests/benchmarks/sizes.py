"""How large each table of the reference world is, from the number of contacts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Rows of the reference world; at 1 M contacts those of the budgets."""

    contacts: int

    @property
    def accounts(self) -> int:
        return max(20, self.contacts // 10)

    @property
    def activities(self) -> int:
        return self.contacts * 10

    @property
    def opportunities(self) -> int:
        return self.contacts * 3 // 10

    @property
    def purchases(self) -> int:
        return self.contacts

    @property
    def contracts(self) -> int:
        return max(20, self.contacts // 10)

    @property
    def support_cases(self) -> int:
        return self.contacts // 5

    @property
    def tasks(self) -> int:
        return self.contacts // 20 + 100

    def as_dict(self) -> dict[str, int]:
        """Return every size by its name."""
        names = ("accounts", "activities", "opportunities", "purchases", "contracts", "support_cases", "tasks")
        return {"contacts": self.contacts} | {name: getattr(self, name) for name in names}
