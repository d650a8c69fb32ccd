"""The versions of OCPP that are spoken here, and the words by which stations offer them.

Pure. What a version costs in memory is paid when the first station speaks it. Start at `dialect_of` and
`choose_subprotocol`. Sources: OCPP-J 1.6 §3.2, OCPP 2.1 Part 4 §3; OCPP.md §8.1 R2 and §4.1.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

from edge_agent.charge_points.dialect import Dialect
from edge_agent.charge_points.rpc import ErrorCode

VERSIONS = ("2.1", "2.0.1", "1.6")
"""Newest first."""

_MEANS = {
    "1.6": re.compile(r"ocppj?[-_ /]?v?1[._]?6[-_]?j?(?:son)?", re.IGNORECASE),
    "2.0.1": re.compile(r"ocppj?[-_ /]?v?2[._]?0[._]?1[-_]?j?(?:son)?", re.IGNORECASE),
    "2.1": re.compile(r"ocppj?[-_ /]?v?2[._]?1(?:[._]?0)?[-_]?j?(?:son)?", re.IGNORECASE),
}
"""ocpp1.6, OCPP1.6, ocpp1.6j, ocpp16, ocpp-1.6 …; the others likewise. Words of a vendor's own are in quirks.toml."""


def version_of(token: str, aliases: Mapping[str, str] | None = None) -> str | None:
    """The version an offered subprotocol means to us. `aliases`: what vendors' own words stand for."""
    return _meant((aliases or {}).get(token.casefold(), token))


@lru_cache(maxsize=256)
def _meant(token: str) -> str | None:
    return next((version for version, meant in _MEANS.items() if meant.fullmatch(token)), None)


def choose_subprotocol(
    offered: Sequence[str], known: str | None = None, aliases: Mapping[str, str] | None = None
) -> str | None:
    """The token we answer with, exactly as it was offered; None when none is ours.

    `known` is the version the station last booted with: some offer the others only to see what happens. Else the plain
    spellings come before odd ones, and among those the station's own order counts.
    """
    ours = [(token, version_of(token, aliases)) for token in offered]
    ours = [each for each in ours if each[1] is not None]
    if not ours:
        return None
    before = [token for token, version in ours if version == known]
    plain = [token for token, version in ours if token == f"ocpp{version}"]
    return (before or plain or [ours[0][0]])[0]


@cache
def dialect_of(version: str) -> Dialect:
    """Raises KeyError for a version that is not spoken."""
    return _ocpp_16() if version == "1.6" else _ocpp_2x(version)


def _ocpp_16() -> Dialect:
    from edge_agent.charge_points import v16
    from edge_agent.charge_points.clerk_16 import Clerk16
    from edge_agent.charge_points.schemas import OCPP_16

    return Dialect(
        version="1.6",
        schemas=OCPP_16,
        safe_before_acceptance=frozenset(
            {
                "TriggerMessage", "ExtendedTriggerMessage", "GetConfiguration", "ChangeConfiguration", "DataTransfer",
                "CertificateSigned", "InstallCertificate", "GetInstalledCertificateIds",
            }
        ),
        repeated_as_is=frozenset({"StartTransaction", "StopTransaction"}),
        facts=None,
        names=v16.NAMES,
        boot_report=v16.boot_report,
        boot_answer=v16.boot_answer,
        call_for=v16.call_for,
        order_answer=v16.order_answer,
        not_now=v16.not_now,
        shown_answer=v16.shown_answer,
        clerk=Clerk16,
    )  # fmt: skip


_SPELLINGS_2X = {
    ErrorCode.FORMATION_VIOLATION: "FormatViolation",
    ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION: "OccurrenceConstraintViolation",
}


def _ocpp_2x(version: str) -> Dialect:
    from edge_agent.charge_points import rules_2x, v2x
    from edge_agent.charge_points.clerk_2x import Clerk21, Clerk201

    clerk = {"2.0.1": Clerk201, "2.1": Clerk21}[version]
    return Dialect(
        version=version,
        schemas=clerk.schemas,
        safe_before_acceptance=frozenset(
            {
                "TriggerMessage", "GetVariables", "SetVariables", "GetBaseReport", "GetReport", "DataTransfer",
                "SetNetworkProfile", "CertificateSigned", "InstallCertificate", "GetInstalledCertificateIds",
            }
        ),
        repeated_as_is=frozenset({"TransactionEvent"}),
        facts=frozenset(
            {
                "FirmwareStatusNotification", "Heartbeat", "LogStatusNotification", "MeterValues",
                "NotifyEvent", "NotifyMonitoringReport", "NotifyReport", "SecurityEventNotification",
                "StatusNotification", "TransactionEvent",
            }
        ),
        names=v2x.NAMES,
        boot_report=v2x.boot_report,
        boot_answer=v2x.boot_answer,
        call_for=v2x.call_for_201 if version == "2.0.1" else v2x.call_for,
        order_answer=v2x.order_answer,
        not_now=rules_2x.not_now,
        shown_answer=v2x.shown_answer,
        clerk=clerk,
        has_sends=version == "2.1",
        answers_unreadable=True,
        answers_unknown_types=version == "2.0.1",
        spellings=_SPELLINGS_2X,
    )  # fmt: skip
