"""Declarations of what rules can read: records, relations and fields. No SQL here.

`accounts.fields` (and later apps) declare; `segments.rules` compiles; the builder, the API schema, the sentence and
docs/data-dictionary.md are all rendered from these.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

TYPES = (
    "text",
    "enum",
    "reference",
    "tree",
    "multi",
    "integer",
    "decimal",
    "percent",
    "money",
    "boolean",
    "date",
    "datetime",
)
FAMILIES = (
    "firmographic",
    "demographic",
    "technographic",
    "behavioural",
    "needs",
    "tier",
    "sophistication",
    "buying_role",
    "psychographic",
    "purchase",
    "situational",
    "personal",
    "value",
    "score",
    "campaign",
    "opportunity",
    "identity",
)
WAKES = ("never", "sliver", "daily")


@dataclass(frozen=True)
class Column:
    """A column of the record's own table, by Django field name.

    A text column has a folded shadow `<name>_folded`; a money column X is compared by `X_reporting`.
    """

    name: str


@dataclass(frozen=True)
class ValueRows:
    """The values of a multi field: rows of the record's value table (`AccountValue` …) with this `field`.

    kind "token": closed tokens or folded texts in `token`; kind "term": a foreign key `term`; kind "code": a
    foreign key `code` (SIC, NAICS).
    """

    field: str
    kind: str = "token"


@dataclass(frozen=True)
class RelatedValues:
    """The values of a multi field read over a relation: distinct `column` of its rows that match `where`."""

    relation: str
    column: str
    where: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class CustomValue:
    """A custom field: rows of the record's custom-value table with this definition."""

    definition_id: int


@dataclass(frozen=True)
class Computed:
    """A named computation; compiler and oracle each implement it (ages, bands, provenance ages …)."""

    name: str
    args: tuple[Any, ...] = ()


Source = Column | ValueRows | RelatedValues | CustomValue | Computed


@dataclass(frozen=True)
class Choice:
    """One token of a closed list with its label."""

    value: str
    label: str


@dataclass(frozen=True)
class FieldDef:
    """One field that rules can read, declared once.

    key: `<record>.<name>`, stable for ever. item: of a multi field, the type of its values (enum, text, reference,
    tree). target: what a reference or tree points to: "user", "account", "contact", "product", "stage", "pipeline",
    "vendor", "campaign", "persona", "content", "term:<vocabulary>", "code:sic", "code:naics". history: the name under
    which FieldHistory keeps it. empty: what it means that there is no value: "unknown" where one exists in the
    world and we lack it, other words where there is none (no tags, not closed yet). wakes: how time wakes it where its
    type alone does not say. everyday: shown first.
    """

    key: str
    label: str
    type: str
    source: Source
    group: str
    family: str
    help: str = ""
    phrase: str = ""
    item: str = ""
    target: str = ""
    choices: tuple[Choice, ...] = ()
    empty: str = "unknown"
    history: str = ""
    wakes: str = "never"
    everyday: bool = False
    personal: bool = False
    aliases: tuple[str, ...] = ()
    unit: str = ""

    def __post_init__(self) -> None:
        if self.type not in TYPES:
            raise ValueError(f"{self.key}: unknown type {self.type}")
        if self.family not in FAMILIES:
            raise ValueError(f"{self.key}: unknown family {self.family}")
        if self.type == "multi" and not self.item:
            raise ValueError(f"{self.key}: a multi field needs the type of its items")

    @property
    def record(self) -> str:
        """Return the record's prefix."""
        return self.key.split(".", 1)[0]

    @property
    def name(self) -> str:
        """Return the key without the record's prefix."""
        return self.key.split(".", 1)[1]


@dataclass(frozen=True)
class RelationDef:
    """A to-many relation under its owner: `account.contacts`.

    record: the related record's prefix. owner_column: the column of the related table that holds the owner's key
    (`account_id`). through: for many-to-many, (model label, column of the owner's key, column of the related key);
    owner_column is empty then. event_time: the related row's field whose value must lie before as_of (or be empty).
    order_by: the column that first and last order by, then id. extra: keys that exist only inside this relation.
    """

    key: str
    record: str
    label: str
    singular: str
    owner_column: str = ""
    through: tuple[str, str, str] | None = None
    order_by: str = "id"
    family: str = "firmographic"
    extra: tuple[FieldDef, ...] = ()

    @property
    def owner(self) -> str:
        """Return the owner's prefix."""
        return self.key.split(".", 1)[0]


@dataclass(frozen=True)
class RecordDef:
    """A kind of record that rules can read.

    prefix: as in keys. model: Django's label ("accounts.Account"). to_one: prefix as written in keys -> foreign-key
    field on this record's model (contact: {"account": "account"}; account: {"account.parent": "parent_account"}).
    event_time: (column, "date"|"datetime") or None. member: whether rules may select it as member type.
    live: filters that a live record meets (not deleted, merged away or erased).
    """

    prefix: str
    model: str
    singular: str
    plural: str
    to_one: dict[str, str] = field(default_factory=dict)
    event_time: tuple[str, str] | None = None
    member: bool = False
    live: tuple[tuple[str, Any], ...] = ()
    name_column: str = "name"


class RegistryError(Exception):
    """A declaration that contradicts another."""


class Registry:
    """All declarations; filled in `AppConfig.ready()`, then frozen. Custom fields are looked up live."""

    def __init__(self) -> None:
        self.records: dict[str, RecordDef] = {}
        self.relations: dict[str, RelationDef] = {}
        self._fields: dict[str, FieldDef] = {}
        self._aliases: dict[str, str] = {}
        self._custom: Callable[[], Sequence[FieldDef]] = tuple
        self._frozen = False

    def _check_open(self) -> None:
        if self._frozen:
            raise RegistryError("The registry is frozen: declare in AppConfig.ready().")

    def add_record(self, record: RecordDef) -> None:
        """Declare a kind of record."""
        self._check_open()
        self.records[record.prefix] = record

    def add_relation(self, relation: RelationDef) -> None:
        """Declare a relation."""
        self._check_open()
        if relation.key in self.relations:
            raise RegistryError(f"Relation {relation.key} is declared twice.")
        self.relations[relation.key] = relation

    def add_fields(self, fields: Sequence[FieldDef]) -> None:
        """Declare fields.

        Raises RegistryError for a key declared twice.
        """
        self._check_open()
        for definition in fields:
            if definition.key in self._fields:
                raise RegistryError(f"Field {definition.key} is declared twice.")
            self._fields[definition.key] = definition
            for alias in definition.aliases:
                self._aliases[alias] = definition.key

    def provide_custom_fields(self, provider: Callable[[], Sequence[FieldDef]]) -> None:
        """Name the function that returns the custom fields as they are now."""
        self._check_open()
        self._custom = provider

    def freeze(self) -> None:
        """Close the registry; every later declaration raises RegistryError."""
        self._frozen = True

    def field(self, key: str) -> FieldDef | None:
        """Return the field of this key or alias, custom fields included, or None (1 query for custom keys)."""
        key = self._aliases.get(key, key)
        found = self._fields.get(key)
        if found is None and ".custom." in key:
            return next((f for f in self._custom() if f.key == key), None)
        return found

    def fields(self, record: str | None = None, custom: bool = True) -> list[FieldDef]:
        """Return all fields, or those of one record, in the order declared (1 query with custom ones)."""
        found = list(self._fields.values())
        if custom:
            found.extend(self._custom())
        return [f for f in found if record is None or f.record == record]

    def custom_fields(self) -> Sequence[FieldDef]:
        """Return the custom fields as they are now (1 query)."""
        return self._custom()

    def relation(self, key: str) -> RelationDef | None:
        """Return the relation of this key, or None."""
        return self.relations.get(key)


registry = Registry()
