"""Settings of a box that its operator changes from above, in words. Pure. Start at `SETTINGS`."""

from collections.abc import Mapping

import msgspec


class SettingWords(msgspec.Struct, frozen=True):
    """`choices`: what each word it may have means. None: it is a whole number of `unit`."""

    name: str
    meaning: str
    choices: Mapping[str, str] | None = None
    unit: str = ""


SETTINGS: Mapping[str, SettingWords] = {
    "authorisation.unknown": SettingWords(
        "Id tokens that are not listed", "What such a token gets at an active charge point.",
        {"accept": "may charge", "reject": "are refused"},
    ),
    "authorisation.concurrent": SettingWords(
        "One id token at two places at once", "Fleets share cards; where they do not, a second charge is refused.",
        {"accept": "may charge", "reject": "is refused"},
    ),
    "authorisation.local_list": SettingWords(
        "Lists in the charge points", "Charge points that can keep the site's id tokens for when they are offline.",
        {"off": "only on request", "on": "always get them"},
    ),
    "ocpp.heartbeat_interval_s": SettingWords(
        "Heartbeat", "How often a charge point shows that it is there. Silent for three times that, it is offline.",
        unit="seconds",
    ),
    "ocpp.retry_interval_s": SettingWords(
        "Waiting charge points", "When one that is not accepted yet may try again.", unit="seconds"
    ),
}  # fmt: skip
"""By key, as `sitelink.box_settings.EDITABLE` has them."""
