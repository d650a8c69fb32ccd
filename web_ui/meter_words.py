"""How a meter stands and what its values are called, each as what it says, what to do, and what is said without fields.

Pure. `web_ui.wording` makes its words of them; the codes come from `edge_agent.meters`. Start at `METERS`.
"""


def _(says: str, do: str = "", bare: str | None = None) -> tuple[str, str, str | None]:
    return says, do, bare


METERS: dict[str, tuple[str, str, str | None]] = {
    "meter_not_read": _("It was not asked yet."),
    "meter_elsewhere": _("The box at the site reads it; its values are shown there."),
    "meter_searching": _("Meters are being looked for on its port; it is read again afterwards."),
    "meter_not_told": _("The box has told nothing of it for a while."),
    "meter_silent": _(
        "No answer from address {unit_id} at {transport}.",
        "Check power, wires and the meter's address; on a serial line try swapping A and B.",
        "The meter does not answer.",
    ),
    "meter_garbled": _(
        "What comes from {transport} is noise, or meant for somebody else.",
        "Check speed and parity, that no two meters have one address, and the ends of the line.",
        "What comes from the meter is noise.",
    ),
    "meter_refused": _(
        "The meter refuses to say its values (exception {exception}).",
        "Choose the profile that fits its model.",
        "The meter refuses to say its values.",
    ),
    "meter_unreachable": _(
        "{transport} cannot be opened.",
        "Check that the adapter is plugged in, or that the meter is on the network and Modbus TCP is on.",
        "The way to the meter cannot be opened.",
    ),
    "meter_port_busy": _(
        "Another program uses {transport}.", "End that program.", "Another program uses the meter's port."
    ),
    "meter_other_model": _(
        "The meter that answers says that it is no {profile}.",
        "Choose the profile of the meter that is there, or correct its address.",
        "Another model of meter answers.",
    ),
    "meter_unknown_profile": _(
        "There is no profile “{profile}”.",
        "`edge-agent meters profiles` lists those there are.",
        "There is no such profile.",
    ),
    "meter_bad_transport": _(
        "“{transport}” is no address of a meter.",
        "Write tcp://HOST:502 or rtu:///dev/ttyUSB0?speed=9600.",
        "That is no address of a meter.",
    ),
    "meter_other_speed": _(
        "Another meter uses this port with another speed, parity or number of stop bits.",
        "Set all meters of a line to the same.",
    ),
    "meter_failed": _("Asking the meter failed inside the box.", "Look at the box's log."),
    "meter_application_not_h": _(
        "The meter is not set to application H: its power never shows export.", "Set application H at the meter."
    ),
    "wiring_no_voltage": _("{phase} has no voltage.", "Check its fuse and its wire."),
    "wiring_backwards": _(
        "{phase} flows backwards.", "Turn the clamp, unless something feeds in there.", "A phase flows backwards."
    ),
    "wiring_all_backwards": _(
        "All phases flow backwards.",
        "Turn the clamps or tick “built in the other way round”, unless something feeds in here.",
    ),
    "wiring_shifted": _(
        "{phase}: its current does not belong to its voltage.",
        "The clamp is around the wire of another phase: swap the clamps of the phases named here.",
        "A current does not belong to its voltage.",
    ),
    "wiring_charge_backwards": _(
        "{phase} falls while the car charges.", "Turn the clamp.", "The meter falls while the car charges."
    ),
    "wiring_not_seen": _(
        "The meter does not see the charge.",
        "It measures another circuit, its clamps are open, or its transformer ratio is missing.",
    ),
    "wiring_wrong_ratio": _(
        "The meter shows 1/{factor} of what the charge point takes.",
        "Check the transformer ratio; multiply it by {factor}.",
    ),
    "wiring_other_phase": _(
        "{phase} of the charge point is {other} of the meter.",
        "Fine where charge points are turned on purpose; it stands in the record.",
        "The phases of the charge point are turned.",
    ),
    "wiring_order_unknown": _(
        "It sees the charge; the order of the phases cannot be told from it.", "Charge on one phase to know it."
    ),
    "wiring_fits": _("Meter and charge point agree, phase by phase."),
    "meter_value_implausible": _("This value cannot be right."),
    "meter_value_went_back": _("This counter went back."),
    "meter_value_more_than_volts_times_amps": _("This is more than volts times amps: check the clamp and the ratio."),
}
