"""What a call breaks that fits its schema: the place a rule names as a code.

Pure. The places come from `v16.not_now`, `rules_2x` and `Errands.objection`. People read the code's words
(`web_ui.call_words`). Start at `rule_broken`.
"""

_BY_PLACE = {
    "action": "before_acceptance",
    "chargingProfile": "start_profile",
    "chargingProfilePurpose": "external_profile",
    "chargingSchedulePeriod": "schedule_periods",
    "evse": "connector_needed",
    "getVariableData": "variable_twice",
    "messagesInQueue": "messages_left",
    "out_of_service": "in_service",
    "recurrencyKind": "recurrency_needed",
    "requestedMessage": "boot_again",
    "setMonitoringData": "variable_twice",
    "setVariableData": "variable_twice",
    "stackLevel": "profile_twice",
    "securityProfile": "profile_lower",
    "startPeriod": "schedule_periods",
    "startSchedule": "schedule_start",
    "transactionId": "profile_transaction",
    "value": "profile_lower",
}
_PLACES = frozenset({"connectorId", "evseId"})
OTHER = "not_allowed_now"
RULES = frozenset({*_BY_PLACE.values(), "profile_place", "no_such_connector", OTHER})


def rule_broken(action: str, where: str) -> str:
    """The code of the rule that names `where`, a path in the payload of `action`."""
    last = where.rpartition("/")[2]
    if last in _PLACES:
        return "profile_place" if action == "SetChargingProfile" else "no_such_connector"
    return _BY_PLACE.get(last, OTHER)
