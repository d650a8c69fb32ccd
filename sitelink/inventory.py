"""What a charge point has and how it is set: its variables, whichever version of OCPP named them.

Pure. OCPP 2.x speaks of variables of components, 1.6 of configuration keys; a key is a variable of no component. The
value of a secret is never here. Start at `Variable`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from sitelink.redact import is_secret_name

ACTUAL = "Actual"
READ_ONLY = "ReadOnly"
READ_WRITE = "ReadWrite"
WRITE_ONLY = "WriteOnly"
LIST_ENTRIES = "list entries"
"""Of the facts of an inventory: how many id tokens the station's own list may hold."""


class Attribute(msgspec.Struct, frozen=True, omit_defaults=True):
    """`secret`: there may be a value, and it is not kept."""

    value: str | None = None
    mutability: str | None = None
    persistent: bool = False
    constant: bool = False
    secret: bool = False


class Variable(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`attributes` by type: Actual, Target, MinSet, MaxSet. `evse` and `connector` where it is one of theirs."""

    name: str
    component: str = ""
    component_instance: str | None = None
    evse: int | None = None
    connector: int | None = None
    instance: str | None = None
    attributes: dict[str, Attribute] = {}
    data_type: str | None = None
    unit: str | None = None
    least: float | None = None
    most: float | None = None
    allowed: str | None = None
    """What it may be set to, as the station lists it."""
    monitorable: bool = False

    @property
    def key(self) -> str:
        place = (
            "" if self.evse is None else f"{self.evse}" if self.connector is None else f"{self.evse}.{self.connector}"
        )
        return "|".join((self.component, self.component_instance or "", place, self.name, self.instance or ""))

    @property
    def value(self) -> str | None:
        actual = self.attributes.get(ACTUAL)
        return actual.value if actual is not None else None


def attribute(name: str, value: str | None, mutability: str | None = None, **more: Any) -> Attribute:
    """With the value left out where it is a secret: written only, or of a name that says so."""
    secret = mutability == WRITE_ONLY or is_secret_name(name)
    return Attribute(value=None if secret else value, mutability=mutability, secret=secret, **more)


def items_of(variables: Iterable[Variable]) -> dict[str, Any]:
    """As they are kept in a report."""
    return {each.key: msgspec.to_builtins(each) for each in variables}


def variables_of(items: Mapping[str, Any]) -> list[Variable]:
    """Those of a kept report; what a box of another version wrote and this one cannot read is left out."""
    found = []
    for item in items.values():
        try:
            found.append(msgspec.convert(item, Variable))
        except msgspec.ValidationError:
            continue
    return found
