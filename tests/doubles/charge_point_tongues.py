"""Which tongue a virtual charge point of a version has. Start at `tongue_of`."""

from collections.abc import Mapping

from tests.doubles.charge_point_configuration_16 import Configuration
from tests.doubles.charge_point_frames import Version
from tests.doubles.charge_point_model_2x import DeviceModel
from tests.doubles.charge_point_tongue import Tongue
from tests.doubles.charge_point_tongue_2x import Tongue2x
from tests.doubles.charge_point_tongue_16 import Tongue16


def tongue_of(version: Version, connectors: int, plugs: int, interval_s: float, changes: Mapping[str, str]) -> Tongue:
    """`changes` are settings by key in 1.6, by "Component.Variable" in 2.x. Raises KeyError for an unknown variable."""
    if version == "1.6":
        settings = Configuration(connectors)
        settings.values.update({"MeterValueSampleInterval": f"{interval_s:g}", **changes})
        return Tongue16(settings)
    model = DeviceModel(version, evses=connectors, plugs=plugs)
    for name, value in {"SampledDataCtrlr.TxUpdatedInterval": f"{interval_s:g}", **changes}.items():
        model.put(name, value)
    return Tongue2x(version, model)
