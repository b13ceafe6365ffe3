"""Text to document and back. Of YAML only what JSON has is read: no tags, no aliases, no dates, no "yes" for true."""

import json
import re
from typing import Any

import yaml

from segmentation_crm.common.api.parsers import parse_json

FORMATS = ("json", "yaml")
MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
KIND = "segmentation-crm/segments"
VERSION = 1


class BadDocument(Exception):
    """The text is no document of segments; the message says where and why, for people."""


class _PlainDumper(yaml.SafeDumper):
    """YAML without anchors: what stands twice is written twice."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write everything out."""
        return True


def dumped(document: dict[str, Any], format: str) -> str:
    """Return the document as text.

    Raises BadDocument for an unknown format.
    """
    if format == "json":
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if format == "yaml":
        return str(yaml.dump(document, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=110))
    raise BadDocument(f"format must be one of {', '.join(FORMATS)}.")


def loaded(text: str | bytes, format: str = "") -> Any:
    """Return what the text holds; without format it is JSON where it begins with a brace, else YAML.

    Raises BadDocument.
    """
    raw = text.encode() if isinstance(text, str) else text
    if len(raw) > MAX_BYTES:
        raise BadDocument(f"The file is larger than {MAX_BYTES // 1024} KiB.")
    try:
        words = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadDocument(f"The file is not in UTF-8 (byte {error.start + 1}).") from None
    if not format:
        format = "json" if words.lstrip().startswith("{") else "yaml"
    return _from_json(words) if format == "json" else _from_yaml(words)


def _from_json(text: str) -> Any:
    try:
        return parse_json(text.encode())
    except Exception as error:
        # The parser of the API speaks in its own exceptions, with the place.
        raise BadDocument(f"This is not JSON as it is taken here: {_detail(error)}") from None


def _detail(error: Exception) -> str:
    detail = getattr(error, "detail", None)
    if isinstance(detail, dict | list):
        return json.dumps(detail, default=str)[:300]
    return str(detail or error)[:300]


class _PlainLoader(yaml.SafeLoader):
    """YAML that means what the same JSON would mean."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuse aliases, which can blow a small file up, and what is nested too deep."""
        if self.check_event(yaml.AliasEvent):
            raise BadDocument(f"Line {self.peek_event().start_mark.line + 1}: aliases (*) are not taken; write it out.")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise BadDocument(f"Nested more than {MAX_DEPTH} deep.")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Refuse keys given twice and keys that are no text."""
        seen: set[str] = set()
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if key.tag != "tag:yaml.org,2002:str":
                raise BadDocument(f"Line {line}: a key must be a text; put it in quotes.")
            if key.value in seen:
                raise BadDocument(f"Line {line}: the key “{key.value[:80]}” stands there twice.")
            seen.add(key.value)
        return super().construct_mapping(node, deep=True)


_PlainLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:null", r"^(?:null|~|)$", ["n", "~", ""]),
    ("tag:yaml.org,2002:bool", r"^(?:true|false)$", ["t", "f"]),
    ("tag:yaml.org,2002:int", r"^-?(?:0|[1-9][0-9]{0,30})$", list("-0123456789")),
    ("tag:yaml.org,2002:float", r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)(?:[eE][-+]?[0-9]+)?$", list("-0123456789")),
):
    _PlainLoader.add_implicit_resolver(_tag, re.compile(_pattern), _first)


def _from_yaml(text: str) -> Any:
    loader = None
    try:
        loader = _PlainLoader(text)
        return loader.get_single_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"Line {mark.line + 1}: " if mark is not None else ""
        raise BadDocument(f"{where}{getattr(error, 'problem', None) or 'this is not YAML'}.") from None
    except (ValueError, RecursionError):
        raise BadDocument("This is not YAML as it is taken here.") from None
    finally:
        if loader is not None:
            loader.dispose()
