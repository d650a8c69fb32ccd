"""Why a box has no link to its cloud, as one sentence with what to do. Pure. Start at `said_of_link`."""

from collections.abc import Mapping

LINK: Mapping[str, str] = {
    "again": "The link begins anew.",
    "asked_to_wait": "The cloud asks this box to wait. It tries again by itself.",
    "captive_portal": "Something between the box and its cloud answers in its place, such as a sign-in page of the "
    "network. Sign in there, or ask who runs the network.",
    "certificate": "Whoever answers is not known to be the cloud: its certificate is not trusted. Look at relay.url.",
    "certificate_date": "The certificate of the cloud is not valid by this box's clock. Look at the clock first.",
    "claim_invalid": "The claim code is not good. Ask the operator for a new one.",
    "closed": "The link ended. The box tries again by itself.",
    "cloud_trouble": "The cloud has trouble. The box tries again by itself.",
    "connection_refused": "Nobody listens at the cloud's address. Look at relay.url.",
    "disk": "The box cannot save at present; that comes first.",
    "dns": "The name of the cloud is not found. Look at the network, and at relay.url.",
    "fenced": "Another link of this box took over.",
    "left": "This box left its cloud.",
    "no_answer_there": "The cloud does not answer. Look at the network; the box tries again by itself.",
    "no_claim": "This box is not enrolled.",
    "no_cloud_there": "What answers at relay.url is no cloud of Gatepost. Look at relay.url.",
    "proxy": "The proxy does not let the box through. Look at relay.proxy.",
    "proxy_password": "The proxy wants a user and a password. Write them into relay.proxy.",
    "quarantined": "Two boxes came with the same disk; both are stopped until the operator chooses one.",
    "refused": "The cloud, or something in front of it, does not let this box in. Ask the operator.",
    "replaced": "Another box took this one's place.",
    "revoked": "The operator ended this box. Leave that cloud, and enrol the box anew to use it again.",
    "tls": "The encrypted connection does not come about. Look at relay.url.",
    "too_many": "Too many tries. The box tries again by itself.",
    "unknown_gateway": "The cloud does not know this box (any more). Leave that cloud, and enrol the box anew.",
    "unreachable": "The cloud is not reached. Look at the network; the box tries again by itself.",
    "waits_for_claim": "This box waits until somebody types its code in the console.",
}
OTHER = "The link does not come about ({code}). The box tries again by itself."


def said_of_link(code: str) -> str:
    """For any code; one that is not known here stands in the sentence."""
    return LINK.get(code) or OTHER.format(code=code)
