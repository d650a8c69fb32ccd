"""Words for calls that are not sent, and what a program is told to do about its request: the part of `wording` that is
read by who writes calls and programs rather than by who stands at a charge point. Pure. Start at `CALLS`.
"""


def _(says: str, do: str, bare: str | None = None) -> tuple[str, str, str | None]:
    return says, do, bare


CALLS: dict[str, tuple[str, str, str | None]] = {
    "call_invalid": _("That is not a valid call for this charge point.", "Correct {where}: {problem}."),
    "call_invalid.unknown_action": _(
        "Its version of OCPP has no such call.",
        "Choose one that it has: the box lists them.",
    ),
    "call_invalid.no_such_call_in_this_version": _(
        "Its version of OCPP has no such call.",
        "Choose one that it has: the box lists them.",
    ),
    "call_invalid.not_for_this_model": _(
        "A rule for this model forbids {where}.",
        "Leave it out, or change the rule.",
        "A rule for this model forbids it.",
    ),
    "call_invalid.more_than_the_station_takes": _(
        "That is more than the charge point takes at once.",
        "Ask for less in {where}.",
    ),
    "call_invalid.before_acceptance": _(
        "The box has not accepted this charge point yet.",
        "Until then only calls that set it up may be sent: configuration, certificates, TriggerMessage.",
    ),
    "call_invalid.boot_again": _(
        "A charge point that is accepted is not asked to boot again.",
        "Send Reset to have it start anew.",
    ),
    "call_invalid.connector_needed": _(
        "A status is asked of one connector.",
        "Name evse, with its id and a connectorId.",
    ),
    "call_invalid.external_profile": _(
        "Limits from outside are not a central system's to set.",
        "Choose another chargingProfilePurpose.",
    ),
    "call_invalid.in_service": _(
        "It is about to be sent elsewhere while it is in service.",
        "Take the whole charge point out of service and let running charges end first.",
    ),
    "call_invalid.messages_left": _(
        "It still has messages for this box.",
        "Wait until it has told them, then send it elsewhere.",
    ),
    "call_invalid.no_such_connector": _(
        "There is no such connector.", "Begin at 1; 0 is the whole where a call takes it."
    ),
    "call_invalid.not_allowed_now": _(
        "That cannot be sent to this charge point now.",
        "Look at {where} and at its status.",
    ),
    "call_invalid.profile_lower": _(
        "It is held to a higher security profile: with this one it would be refused here.",
        "Choose that one or a higher one, or let the charge point pair anew first.",
    ),
    "call_invalid.profile_place": _(
        "The place does not fit the profile's purpose.",
        "The station's maximum is for 0 only, a TxProfile for one place and never for 0.",
    ),
    "call_invalid.profile_transaction": _(
        "A TxProfile belongs to a transaction, and no other profile does.",
        "Give a TxProfile its transactionId, and leave it out of others.",
    ),
    "call_invalid.profile_twice": _(
        "Another profile of this purpose and stack level is there.",
        "Choose another stackLevel, or clear that one.",
    ),
    "call_invalid.recurrency_needed": _("A recurring profile says how often.", "Add recurrencyKind: Daily or Weekly."),
    "call_invalid.schedule_periods": _(
        "The periods of the schedule are not in order.",
        "Let the first begin at 0 and each later one after the one before; phaseToUse needs numberPhases 1.",
    ),
    "call_invalid.schedule_start": _(
        "The start of the schedule does not fit its kind.",
        "Absolute and Recurring need startSchedule, Relative must not have it.",
    ),
    "call_invalid.start_profile": _(
        "A profile sent with a start is for that charge.",
        "Make it a TxProfile and leave transactionId out.",
    ),
    "call_invalid.variable_twice": _(
        "One variable stands in the list twice.",
        "Ask for it once, or in two calls.",
    ),
}
"""By code: what is said, what to do, and what is said where a field is not known."""

PROGRAMS: dict[str, tuple[str, ...]] = {
    "request_invalid": ("Correct {where}: {problem}; allowed: {allowed}.", "Correct {where}: {problem}."),
    "id_token_invalid": ("Correct {where}: {problem}; allowed: {allowed}.", "Correct {where}: {problem}."),
    "not_found": ("No {what} “{key}” is known here: check the address.",),
    "media_type_refused": ("Send {allowed}, and say so in Content-Type.",),
    "method_not_allowed": ("Send one of these there: {allowed}.",),
}
"""What a program is told to do, where a person is told to load the page again: the first whose fields are there."""
