"""What may be done to the meters of a job: added, changed, taken off. Pure; the same on both ends.

Start at `decide_put`. Whether a meter can be read, the box says where it is shown.
"""

from sitelink.decisions import Decide, Decision, Sight
from sitelink.errors import MeterExists, MeterInvalid, NotFound
from sitelink.events import MeterListed, MeterPut, MeterRemoved, WiringProved
from sitelink.ids import JobId
from sitelink.job_file import METERS_MAX
from sitelink.job_rules import open_job
from sitelink.meter_endpoints import EndpointInvalid, endpoint_of
from sitelink.ops import Author, Fact
from sitelink.states import AuthorType

NAME_MAX, PROFILE_MAX, TRANSPORT_MAX = 80, 80, 200
UNIT_MAX = 255
RATIO_MAX = 10_000.0
TRANSPORTS = "tcp://HOST:502, rtu-over-tcp://HOST:PORT, udp://HOST or rtu:///dev/ttyUSB0?speed=9600"
OF_SITE = "a serial port (/dev/tty…) or a host of the site's own network"


def checked(meter: MeterListed, author: Author) -> MeterListed:
    """Its texts without space around them. Raises MeterInvalid with the field and what is allowed."""
    clean = MeterListed(
        meter.name.strip(), meter.profile.strip(), meter.transport.strip(), meter.unit_id, meter.reversed, meter.ratio
    )
    for field, text, most in (
        ("name", clean.name, NAME_MAX), ("profile", clean.profile, PROFILE_MAX),
        ("transport", clean.transport, TRANSPORT_MAX),
    ):  # fmt: skip
        if not text or len(text) > most or any(ord(each) < 32 for each in text):
            raise MeterInvalid(where=field, allowed=f"1 to {most} characters")
    if clean.name in (".", ".."):  # it stands in addresses of pages
        raise MeterInvalid(where="name", allowed="a word")
    _check_transport(clean.transport, author)
    if not 0 <= clean.unit_id <= UNIT_MAX:
        raise MeterInvalid(where="unit_id", allowed=f"0 to {UNIT_MAX}")
    if not 0 < clean.ratio <= RATIO_MAX:
        raise MeterInvalid(where="ratio", allowed=f"more than 0, up to {RATIO_MAX:,.0f}")
    return clean


def _check_transport(text: str, author: Author) -> None:
    try:
        endpoint = endpoint_of(text)
    except EndpointInvalid as error:
        raise MeterInvalid(where="transport", allowed=TRANSPORTS) from error
    if author.type is AuthorType.INSTALLER and not endpoint.is_of_site:
        raise MeterInvalid(where="transport", allowed=OF_SITE)


def decide_put(job: JobId, meter: MeterListed, author: Author, *, instead_of: str = "") -> Decide[MeterListed]:
    """Add a meter, or change the one called `instead_of`. Raises MeterInvalid, MeterExists, JobReadOnly, NotFound."""
    wanted = checked(meter, author)

    def decide(ledger: Sight) -> Decision[MeterListed]:
        found = open_job(ledger.state, job)
        names = {each.name: each for each in found.meters}
        if instead_of and instead_of not in names:
            raise NotFound(what="meter", key=instead_of[:64])
        if wanted.name != instead_of and wanted.name in names:
            raise MeterExists(name=wanted.name)
        if not instead_of and len(names) >= METERS_MAX:
            raise MeterInvalid(where="meters", allowed=f"up to {METERS_MAX} of a job")
        if names.get(instead_of) == wanted:
            return Decision((), wanted)
        return Decision((Fact(f"job:{job}", MeterPut(wanted, instead_of), author, job=job),), wanted)

    return decide


def decide_remove(job: JobId, name: str, author: Author) -> Decide[None]:
    """Raises JobReadOnly, NotFound."""

    def decide(ledger: Sight) -> Decision[None]:
        found = open_job(ledger.state, job)
        if all(each.name != name for each in found.meters):
            raise NotFound(what="meter", key=name[:64])
        return Decision((Fact(f"job:{job}", MeterRemoved(name), author, job=job),), None)

    return decide


def decide_wiring(job: JobId, proved: WiringProved, author: Author) -> Decide[None]:
    """Into the commissioning record, in place of an earlier one of the meter. Raises JobReadOnly, NotFound."""

    def decide(ledger: Sight) -> Decision[None]:
        found = open_job(ledger.state, job)
        if all(each.name != proved.meter for each in found.meters):
            raise NotFound(what="meter", key=proved.meter[:64])
        return Decision((Fact(f"job:{job}", proved, author, job=job),), None)

    return decide
