"""The id token an installer's test is started with, in the form a station takes. Pure.

A job has one token, at most 16 upper-case hexadecimal digits and the same for as long as the job lives. Some stations
take fewer digits, or only the one value that stands in their own configuration. Source: OCPP.md §4.3. Start at
`token_for`.
"""

import hashlib
import re

from sitelink.model import Station

HEX = "hex"
HEX_DEFAULT = 16


def token_for(station: Station | None, job_token: str) -> str:
    """Always the same for the same station and job; the job's own wherever the station takes that.

    What somebody set for the station by hand comes before what its kind needs.
    """
    if station is None:
        return job_token
    if station.test_token:
        return station.test_token
    traits = station.traits
    own = station.configuration.get(traits.token_key) if traits.token_key else None
    if own:
        return own
    longest = traits.token_max or max(len(job_token), HEX_DEFAULT)
    if len(job_token) <= longest and (traits.token_form != HEX or _HEX.fullmatch(job_token)):
        return job_token
    return hashlib.blake2b(job_token.encode(), digest_size=HEX_DEFAULT).hexdigest().upper()[: min(longest, HEX_DEFAULT)]


_HEX = re.compile(r"[0-9A-Fa-f]+")
