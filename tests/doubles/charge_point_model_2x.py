"""The device model of a virtual OCPP 2.x charge point: components, variables, and the reports about them.

Pure. What a reboot, a power cut or the central system changes is kept here; what follows from the station's state is
asked for when it is read (`live`). Source: OCPP 2.0.1 part 2, B05 to B08 and appendix 3. Start at `DeviceModel.get`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.doubles.charge_point_frames import Payload, Version
from tests.doubles.charge_point_variables_2x import CONTROLLERS, PLACE_VARIABLES

ITEMS_PER_MESSAGE = 20
PART = 12
"""How many entries one NotifyReport holds."""

Key = tuple[str, str, int, int, str, str]
"""Component, its instance, EVSE, connector, variable, its instance; names in lower case, 0 and "" for none."""


@dataclass(slots=True)
class Variable:
    component: str
    name: str
    value: str
    mutability: str = "ReadWrite"
    data_type: str = "string"
    unit: str = ""
    choices: str = ""
    """Allowed values, separated by commas."""
    low: float | None = None
    high: float | None = None
    component_instance: str = ""
    instance: str = ""
    evse: int = 0
    connector: int = 0
    reboots: bool = False
    """A change takes effect with the next boot."""
    live: Callable[[], str] | None = None

    @property
    def key(self) -> Key:
        return _key(self.component, self.component_instance, self.evse, self.connector, self.name, self.instance)

    @property
    def readable(self) -> bool:
        return self.mutability != "WriteOnly"

    @property
    def writable(self) -> bool:
        return self.mutability != "ReadOnly"

    def current(self) -> str:
        return self.value if self.live is None else self.live()

    def takes(self, value: str) -> bool:
        match self.data_type:
            case "boolean":
                return value in {"true", "false"}
            case "integer" | "decimal":
                return self._takes_number(value)
            case "OptionList":
                return value in self.choices.split(",")
            case "MemberList" | "SequenceList":
                return not self.choices or set(filter(None, value.split(","))) <= set(self.choices.split(","))
        length = len(value)
        return (self.low is None or length >= self.low) and (self.high is None or length <= self.high)

    def _takes_number(self, value: str) -> bool:
        try:
            number = int(value) if self.data_type == "integer" else float(value)
        except ValueError:
            return False
        return (self.low is None or number >= self.low) and (self.high is None or number <= self.high)

    def names(self) -> Payload:
        """The component and the variable, as every message names them."""
        component: Payload = {"name": self.component}
        if self.component_instance:
            component["instance"] = self.component_instance
        if self.evse:
            component["evse"] = {"id": self.evse, **({"connectorId": self.connector} if self.connector else {})}
        variable: Payload = {"name": self.name}
        if self.instance:
            variable["instance"] = self.instance
        return {"component": component, "variable": variable}

    def report(self) -> Payload:
        """A ReportDataType."""
        attribute: Payload = {
            "type": "Actual",
            "mutability": self.mutability,
            "persistent": self.live is None,
            "constant": False,
        }
        if self.readable:
            attribute["value"] = self.current()
        traits: Payload = {"dataType": self.data_type, "supportsMonitoring": self.readable}
        if self.unit:
            traits["unit"] = self.unit
        if self.choices:
            traits["valuesList"] = self.choices
        for name, limit in (("minLimit", self.low), ("maxLimit", self.high)):
            if limit is not None and self.data_type in {"integer", "decimal", "string"}:
                traits[name] = limit
        return {**self.names(), "variableAttribute": [attribute], "variableCharacteristics": traits}


def _key(component: str, component_instance: str, evse: int, connector: int, name: str, instance: str) -> Key:
    return (component.casefold(), component_instance.casefold(), evse, connector, name.casefold(), instance.casefold())


def key_of(item: Payload) -> Key:
    """Of anything with a `component` and a `variable`."""
    component, variable = item["component"], item["variable"]
    evse = component.get("evse") or {}
    place = evse.get("id", 0), evse.get("connectorId", 0)
    return _key(
        component["name"], component.get("instance", ""), *place, variable["name"], variable.get("instance", "")
    )


@dataclass(slots=True)
class DeviceModel:
    """Survives reboots and power cuts."""

    version: Version
    evses: int
    plugs: int = 1
    variables: dict[Key, Variable] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for component, rows in CONTROLLERS.items():
            for row in rows:
                self.add(Variable(component, **row))
        for evse in range(1, self.evses + 1):
            for row in PLACE_VARIABLES["EVSE"]:
                self.add(Variable("EVSE", **row, evse=evse))
            for plug in range(1, self.plugs + 1):
                for row in PLACE_VARIABLES["Connector"]:
                    self.add(Variable("Connector", **row, evse=evse, connector=plug))
        if self.version == "2.1":
            self.at("SecurityCtrlr.BasicAuthPassword").high = 64

    def add(self, variable: Variable) -> None:
        self.variables[variable.key] = variable

    def at(self, name: str, evse: int = 0, connector: int = 0) -> Variable:
        """By "Component.Variable" or "Component.Variable[instance]". Raises KeyError."""
        component, _, variable = name.partition(".")
        variable, _, instance = variable.partition("[")
        return self.variables[_key(component, "", evse, connector, variable, instance.rstrip("]"))]

    def put(self, name: str, value: str) -> None:
        """What the installer or the maker sets: no rule applies. Raises KeyError."""
        self.at(name).value = value

    def text(self, name: str) -> str:
        return self.at(name).current()

    def number(self, name: str) -> float:
        return float(self.text(name))

    def switch(self, name: str) -> bool:
        return self.text(name) == "true"

    def find(self, item: Payload) -> tuple[Variable | None, str]:
        """And "UnknownComponent" or "UnknownVariable" when there is none."""
        key = key_of(item)
        if (found := self.variables.get(key)) is not None:
            return found, ""
        known = any(each[:4] == key[:4] for each in self.variables)
        return None, "UnknownVariable" if known else "UnknownComponent"

    def get(self, item: Payload) -> Payload:
        """A GetVariableResultType."""
        result: Payload = {"component": item["component"], "variable": item["variable"]}
        kind = item.get("attributeType", "Actual")
        result["attributeType"] = kind
        variable, status = self.find(item)
        if variable is None:
            return {**result, "attributeStatus": status}
        if kind != "Actual":
            return {**result, "attributeStatus": "NotSupportedAttributeType"}
        if not variable.readable:
            return {**result, "attributeStatus": "Rejected", "attributeStatusInfo": {"reasonCode": "WriteOnly"}}
        return {**result, "attributeStatus": "Accepted", "attributeValue": variable.current()}

    def may_set(self, item: Payload) -> tuple[Variable | None, str]:
        """The variable and the status its setting would have; nothing is set."""
        variable, status = self.find(item)
        if variable is None:
            return None, status
        if item.get("attributeType", "Actual") != "Actual":
            return variable, "NotSupportedAttributeType"
        if not variable.writable or not variable.takes(item["attributeValue"]):
            return variable, "Rejected"
        return variable, "RebootRequired" if variable.reboots else "Accepted"

    # reports

    def inventory(self, base: str) -> list[Payload]:
        """A base report: FullInventory, ConfigurationInventory or SummaryInventory."""
        match base:
            case "FullInventory":
                chosen: Iterable[Variable] = self.variables.values()
            case "ConfigurationInventory":
                chosen = (each for each in self.variables.values() if each.writable)
            case _:
                chosen = (each for each in self.variables.values() if each.name in {"AvailabilityState", "Problem"})
        return [each.report() for each in chosen]

    def chosen(self, wanted: list[Payload], criteria: list[str]) -> list[Payload]:
        """What a GetReport asks for: by component and variable, by criteria, or both (B08)."""
        found = [each for each in self.variables.values() if not wanted or any(_meant(each, item) for item in wanted)]
        if criteria:
            passing = {(each.key[:4]) for each in self.variables.values() if _passes(each, criteria)}
            found = [each for each in found if each.key[:4] in passing]
        return [each.report() for each in found]

    # what the station itself reads

    @property
    def heartbeat_interval_s(self) -> float:
        return self.number("OCPPCommCtrlr.HeartbeatInterval")

    @heartbeat_interval_s.setter
    def heartbeat_interval_s(self, seconds: float) -> None:
        self.put("OCPPCommCtrlr.HeartbeatInterval", f"{seconds:g}")

    @property
    def sample_interval_s(self) -> float:
        return self.number("SampledDataCtrlr.TxUpdatedInterval")

    @property
    def aligned_interval_s(self) -> float:
        return self.number("AlignedDataCtrlr.Interval") if self.switch("AlignedDataCtrlr.Enabled") else 0.0

    @property
    def connection_timeout_s(self) -> float:
        return self.number("TxCtrlr.EVConnectionTimeOut")

    @property
    def attempts(self) -> int:
        return int(self.number("OCPPCommCtrlr.MessageAttempts[TransactionEvent]"))

    @property
    def retry_interval_s(self) -> float:
        return self.number("OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]")

    @property
    def dial_attempts(self) -> int:
        return int(self.number("OCPPCommCtrlr.NetworkProfileConnectionAttempts"))

    @property
    def start_points(self) -> frozenset[str]:
        return frozenset(self.text("TxCtrlr.TxStartPoint").split(","))

    @property
    def stops_on_disconnect(self) -> bool:
        return self.switch("TxCtrlr.StopTxOnEVSideDisconnect")

    @property
    def stops_on_invalid_token(self) -> bool:
        return self.switch("TxCtrlr.StopTxOnInvalidId")

    @property
    def offline_unknown_allowed(self) -> bool:
        return self.switch("AuthCtrlr.OfflineTxForUnknownIdEnabled")

    @property
    def offline_list_allowed(self) -> bool:
        return self.switch("AuthCtrlr.LocalAuthorizeOffline")

    @property
    def list_asked_first(self) -> bool:
        return self.switch("AuthCtrlr.LocalPreAuthorize")

    @property
    def authorises_remote_starts(self) -> bool:
        return self.switch("AuthCtrlr.AuthorizeRemoteStart")


def parts(request_id: int, when: str, entries: list[Payload], field_name: str, size: int = PART) -> list[Payload]:
    """Numbered messages that together say `entries`; at least one."""
    chunks = [entries[start : start + size] for start in range(0, len(entries), size)] or [[]]
    made: list[Payload] = []
    for number, chunk in enumerate(chunks):
        message: dict[str, Any] = {
            "requestId": request_id,
            "generatedAt": when,
            "seqNo": number,
            "tbc": number + 1 < len(chunks),
        }
        if chunk:
            message[field_name] = chunk
        made.append(message)
    return made


def _meant(variable: Variable, item: Payload) -> bool:
    component = item["component"]
    if component["name"].casefold() != variable.component.casefold():
        return False
    evse = component.get("evse")
    if evse is not None and (evse["id"], evse.get("connectorId", variable.connector)) != (
        variable.evse,
        variable.connector,
    ):
        return False
    wanted = item.get("variable")
    return wanted is None or wanted["name"].casefold() == variable.name.casefold()


def _passes(variable: Variable, criteria: list[str]) -> bool:
    """Active, Available, Enabled and Problem are variables of a component; one that is true is enough."""
    return variable.name in criteria and variable.readable and variable.current() == "true"
