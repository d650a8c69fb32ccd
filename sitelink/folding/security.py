"""The fold of what stations show to come in: profiles, passwords, certificates. Pure. Start at `FOLDS`."""

from msgspec.structs import replace

from sitelink import events as e
from sitelink.folding.changes import NOTHING, Changes, Fold
from sitelink.ids import StationKey
from sitelink.model import SiteState
from sitelink.ops import Op
from sitelink.security import (
    CANDIDATES_MAX,
    Candidate,
    Credential,
    CredentialOrigin,
    IssuedCertificate,
    KeyState,
    Signing,
    StationSecurity,
)


def _security(state: SiteState, op: Op) -> StationSecurity:
    key = StationKey(op.entity.partition(":")[2])
    return state.security.get(key) or StationSecurity(id=key)


def _profile_settled(state: SiteState, op: Op, event: e.ProfileSettled) -> Changes:
    settled = replace(
        _security(state, op), profile=event.profile, pairing_boot=None, pairing_mono_ms=0, pairing_for_s=0
    )
    known = state.stations.get(settled.id)
    if known is None or not known.connected or known.profile == event.profile:
        return Changes(put=(settled,))
    return Changes(put=(settled, replace(known, profile=event.profile)))


def _station_pairing_opened(state: SiteState, op: Op, event: e.StationPairingOpened) -> Changes:
    opened = replace(
        _security(state, op), pairing_boot=op.t.boot, pairing_mono_ms=op.t.mono_ms, pairing_for_s=event.for_s
    )
    return Changes(put=(opened,))


def _credential_set(state: SiteState, op: Op, event: e.CredentialSet) -> Changes:
    credential = Credential(
        verifier=event.verifier, origin=event.origin, at=op.t.wall, proven=event.origin is CredentialOrigin.LEARNED
    )
    return Changes(put=(_with_only(_security(state, op), credential),))


def _credential_removed(state: SiteState, op: Op, _event: e.CredentialRemoved) -> Changes:
    return Changes(put=(_with_only(_security(state, op), None),))


def _with_only(security: StationSecurity, credential: Credential | None) -> StationSecurity:
    return replace(security, credential=credential, candidates=(), key_state=None, key_word=None, key_at=None)


def _user_may_differ(state: SiteState, op: Op, event: e.UserMayDiffer) -> Changes:
    return Changes(put=(replace(_security(state, op), user_may_differ=event.allowed),))


def _key_offered(state: SiteState, op: Op, event: e.KeyOffered) -> Changes:
    security = _security(state, op)
    offered = Candidate(verifier=event.verifier, boot=op.t.boot, mono_ms=op.t.mono_ms, at=op.t.wall)
    others = tuple(each for each in security.candidates if each.verifier != event.verifier)
    return Changes(
        put=(
            replace(
                security, candidates=(*others, offered)[-CANDIDATES_MAX:], key_state=KeyState.OFFERED, key_word=None,
                key_at=op.t.wall,
            ),
        )
    )  # fmt: skip


def _key_answered(state: SiteState, op: Op, event: e.KeyAnswered) -> Changes:
    """Accepted: it takes the place of the one before at once (A01.FR.03). Refused: it never counted (A01.FR.04)."""
    security = replace(_security(state, op), key_state=event.state, key_word=event.word, key_at=op.t.wall)
    if event.state is KeyState.ACCEPTED:
        known = security.credential
        if known is None or known.verifier != event.verifier:
            known = Credential(verifier=event.verifier, origin=CredentialOrigin.PUSHED, at=op.t.wall)
        return Changes(put=(replace(security, credential=known, candidates=()),))
    if event.state is KeyState.REFUSED:
        kept = tuple(each for each in security.candidates if each.verifier != event.verifier)
        return Changes(put=(replace(security, candidates=kept),))
    return Changes(put=(security,))


def _key_proven(state: SiteState, op: Op, event: e.KeyProven) -> Changes:
    """Keys that may still come into use stay beside the current one; one of them shown ends all others."""
    security = _security(state, op)
    current = security.credential
    if current is not None and current.verifier == event.verifier:
        if current.proven:
            return NOTHING
        pushed = current.origin is CredentialOrigin.PUSHED
        kept, current = security.candidates, replace(current, proven=True)
    elif any(each.verifier == event.verifier for each in security.candidates):
        pushed, kept = True, ()
        current = Credential(verifier=event.verifier, origin=CredentialOrigin.PUSHED, at=op.t.wall, proven=True)
    else:
        return NOTHING
    shown = replace(security, credential=current, candidates=kept)
    return Changes(put=(replace(shown, key_state=KeyState.PROVEN, key_at=op.t.wall) if pushed else shown,))


def _certificate_requested(state: SiteState, op: Op, event: e.CertificateRequested) -> Changes:
    signing = Signing(csr=event.csr, at=op.t.wall, request=event.request)
    return Changes(put=(replace(_security(state, op), signing=signing),))


def _certificate_answered(state: SiteState, op: Op, event: e.CertificateAnswered) -> Changes:
    security = _security(state, op)
    if security.signing is None:
        return NOTHING
    return Changes(put=(replace(security, signing=replace(security.signing, state=event.state, word=event.word)),))


def _certificate_issued(state: SiteState, op: Op, event: e.CertificateIssued) -> Changes:
    serial = op.entity.partition(":")[2]
    if serial in state.certificates:
        return NOTHING
    issued = IssuedCertificate(
        id=serial, station=event.station, common_name=event.common_name, ends=event.ends, at=op.t.wall
    )  # fmt: skip
    return Changes(put=(issued,))


def _certificate_revoked(state: SiteState, op: Op, _event: e.CertificateRevoked) -> Changes:
    known = state.certificates.get(op.entity.partition(":")[2])
    return Changes(put=(replace(known, revoked_at=op.t.wall),)) if known and not known.revoked_at else NOTHING


FOLDS: dict[type[e.Event], Fold] = {
    e.ProfileSettled: _profile_settled,
    e.StationPairingOpened: _station_pairing_opened,
    e.CredentialSet: _credential_set,
    e.CredentialRemoved: _credential_removed,
    e.UserMayDiffer: _user_may_differ,
    e.KeyOffered: _key_offered,
    e.KeyAnswered: _key_answered,
    e.KeyProven: _key_proven,
    e.CertificateRequested: _certificate_requested,
    e.CertificateAnswered: _certificate_answered,
    e.CertificateIssued: _certificate_issued,
    e.CertificateRevoked: _certificate_revoked,
}
