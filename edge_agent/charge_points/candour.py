"""What a station reports, put right as its quirks say: a meter that labels kWh as Wh, a clock that is not believed.

Pure. Each thing put right is named in `found`. Sources: OCPP.md §4.3. Start at `meter_of`.
"""

from msgspec.structs import replace

from edge_agent.charge_points.quirks import Quirks
from edge_agent.charge_points.readings import Found
from edge_agent.site.reports import (
    ConnectorReport,
    MeterGroup,
    MeterReport,
    StartReport,
    StopReport,
    TransactionReport,
)

ENERGY = "Energy.Active."


def meter_of(quirks: Quirks, report: MeterReport, found: Found) -> MeterReport:
    groups = groups_of(quirks, report.groups, found)
    return report if groups is report.groups else replace(report, groups=groups)


def start_of(quirks: Quirks, report: StartReport, found: Found) -> StartReport:
    if quirks.energy_scale != 1 and report.meter_start_wh is not None:
        found.append("meterStart:scaled")
        report = replace(report, meter_start_wh=report.meter_start_wh * quirks.energy_scale)
    if quirks.receive_time and report.at is not None:
        found.append("timestamp:not_believed")
        report = replace(report, at=None)
    return report


def stop_of(quirks: Quirks, report: StopReport, found: Found) -> StopReport:
    if quirks.energy_scale != 1 and report.meter_stop_wh is not None:
        found.append("meterStop:scaled")
        report = replace(report, meter_stop_wh=report.meter_stop_wh * quirks.energy_scale)
    if quirks.receive_time and report.at is not None:
        found.append("timestamp:not_believed")
        report = replace(report, at=None)
    groups = groups_of(quirks, report.groups, found)
    return report if groups is report.groups else replace(report, groups=groups)


def event_of(quirks: Quirks, report: TransactionReport, found: Found) -> TransactionReport:
    """A transaction event of OCPP 2.x."""
    if quirks.receive_time and report.at is not None:
        found.append("timestamp:not_believed")
        report = replace(report, at=None)
    groups = groups_of(quirks, report.groups, found)
    return report if groups is report.groups else replace(report, groups=groups)


def status_of(quirks: Quirks, report: ConnectorReport, found: Found) -> ConnectorReport:
    if quirks.receive_time and report.at is not None:
        found.append("timestamp:not_believed")
        return replace(report, at=None)
    return report


def groups_of(quirks: Quirks, groups: tuple[MeterGroup, ...], found: Found) -> tuple[MeterGroup, ...]:
    """The same tuple where nothing is to be put right."""
    if quirks.energy_scale == 1 and not quirks.receive_time:
        return groups
    return tuple(_group(quirks, each, found) for each in groups)


def _group(quirks: Quirks, group: MeterGroup, found: Found) -> MeterGroup:
    if quirks.receive_time and group.at is not None:
        found.append("timestamp:not_believed")
        group = replace(group, at=None)
    if quirks.energy_scale == 1:
        return group
    samples = []
    for sample in group.samples:
        if sample.measurand.startswith(ENERGY) and sample.value is not None:
            found.append("energy:scaled")
            sample = replace(sample, value=sample.value * quirks.energy_scale)
        samples.append(sample)
    return replace(group, samples=tuple(samples))
