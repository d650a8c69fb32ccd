"""Certificates of charge points: asked for, signed by the site or by the operator, handed over, withdrawn.

The site's authority signs by itself, or requests stand in a list until an operator's authority has signed them
(`certificates.sign`). A request is looked at before anything is done with it, written down, and only then agreed to.
Sources: SECURITY §3.1 "Certificate flow"; OCPP 2.0.1 A02, A03, M03 to M05. Start at `CertificateService.requested`.
"""

import asyncio
from collections.abc import Sequence

import structlog

from edge_agent.site.ports import Decide, Decision, Journal, Ledger, Signed, Signer, Stations
from edge_agent.site.trust import names_station, security_of
from sitelink.commands import (
    CertificateHash,
    DeleteRoot,
    HandOverCertificate,
    InstallRoot,
    OrderAnswer,
    ReadRoots,
    RequestCertificate,
    RootUse,
)
from sitelink.errors import CertificateInvalid, NoAnswer, NotFound, SiteError, StationOffline
from sitelink.events import CertificateAnswered, CertificateIssued, CertificateRequested, CertificateRevoked
from sitelink.ids import StationKey
from sitelink.model import SiteState
from sitelink.ops import BOX, STATION, Author, Fact
from sitelink.security import IssuedCertificate, Signing, SigningState

log = structlog.get_logger()

ASK_AGAIN_S = 10
"""A station that asks more often than this gets nothing: each request costs a signature and is kept."""
ISSUED_MAX = 5000
"""Certificates that are known; beyond them none is signed, and revocation keeps what it stands on."""


class CertificateService:
    """`run` is a long-lived task; without it requests are written down and wait. `by_site`: the site's CA signs."""

    def __init__(self, journal: Journal, stations: Stations, signer: Signer, *, by_site: bool = True) -> None:
        self._journal = journal
        self._stations = stations
        self._signer = signer
        self._by_site = by_site
        self._queue: asyncio.Queue[tuple[StationKey, str]] = asyncio.Queue(1024)

    # ---- what stations ask for ----

    async def requested(self, station: StationKey, request: str, number: int | None) -> bool:
        """Whether it is agreed to. A name that is not the station's is refused: it would open another's door."""
        try:
            name = await asyncio.to_thread(self._signer.name_of, request)
        except CertificateInvalid as error:
            return await self._journal.write(_decide_request(station, "", number, str(error.fields.get("problem"))))
        refusal = _against(self._journal.state, station, name)
        if not await self._journal.write(_decide_request(station, request, number, refusal)):
            return False
        if self._by_site:
            self._queue.put_nowait((station, request))
        return True

    async def run(self) -> None:
        """Sign and hand over, one after the other, for ever."""
        while True:
            station, request = await self._queue.get()
            try:
                await self._hand_over(station, await asyncio.to_thread(self._signer.sign, request), BOX)
            except SiteError as error:
                log.warning("certificate_not_handed_over", charge_point=station, code=error.code)
            except Exception:
                log.exception("certificate_failed", charge_point=station)

    # ---- what operators do ----

    def requests(self) -> Sequence[tuple[StationKey, Signing]]:
        """Requests that wait for the operator's authority, oldest first."""
        known = self._journal.state.security.values()
        waiting = [(each.id, each.signing) for each in known if each.signing is not None]
        return sorted(
            ((id_, signing) for id_, signing in waiting if signing.state is SigningState.WAITING),
            key=lambda each: each[1].at,
        )

    async def upload(self, station: StationKey, chain: str, author: Author) -> OrderAnswer:
        """What was signed for its last request. Raises NotFound, CertificateInvalid, StationOffline, NoAnswer."""
        signing = security_of(self._journal.state, station).signing
        if signing is None or signing.state is SigningState.REFUSED:
            raise NotFound(what="certificate_request", key=station)
        if not self._stations.is_online(station):
            raise StationOffline(identity=station, sent=False)
        signed = await asyncio.to_thread(self._signer.read_chain, chain, signing.csr)
        refusal = _against(self._journal.state, station, signed.common_name)
        if refusal is not None:
            raise CertificateInvalid(problem=refusal)
        return await self._hand_over(station, signed, author)

    async def ask_for_request(self, station: StationKey) -> OrderAnswer:
        """Have it make a key and ask. Raises StationOffline, NoAnswer."""
        return await self._stations.send(station, RequestCertificate())

    async def install_root(self, station: StationKey, certificate: str | None, use: RootUse) -> OrderAnswer:
        """A root it is to trust: the site's where none is given. Raises StationOffline, NoAnswer."""
        return await self._stations.send(station, InstallRoot(certificate or self._signer.root_text, use))

    async def roots(self, station: StationKey, use: RootUse) -> OrderAnswer:
        return await self._stations.send(station, ReadRoots(use))

    async def delete_root(self, station: StationKey, certificate: CertificateHash) -> OrderAnswer:
        return await self._stations.send(station, DeleteRoot(certificate))

    def issued(self) -> Sequence[IssuedCertificate]:
        """Newest first."""
        return sorted(self._journal.state.certificates.values(), key=lambda each: each.at, reverse=True)

    async def revoke(self, serial: str, author: Author) -> IssuedCertificate:
        """It counts no more; a connection that stands on it ends. Raises NotFound."""
        known = self._journal.state.certificates.get(serial)
        if known is None:
            raise NotFound(what="certificate", key=serial[:64])
        fact = Fact(f"certificate:{serial}", CertificateRevoked(), author)
        await self._write(lambda _ledger: Decision((fact,) if known.revoked_at is None else (), None))
        await self._stations.recheck(known.station)
        return self._journal.state.certificates[serial]

    # ---- handing over ----

    async def _hand_over(self, station: StationKey, signed: Signed, author: Author) -> OrderAnswer:
        """Written down as ours before the station has it: from its first use on it is known whose it is."""
        signing = security_of(self._journal.state, station).signing
        number = signing.request if signing is not None else None
        await self._write(_issued(station, signed, author))
        try:
            answer = await self._stations.send(station, HandOverCertificate(signed.chain, number))
        except (StationOffline, NoAnswer) as error:
            await self._write(_fact(station, CertificateAnswered(SigningState.SIGNED, error.code), BOX))
            raise
        state = SigningState.ACCEPTED if answer.accepted else SigningState.REJECTED
        await self._write(_fact(station, CertificateAnswered(state, answer.word), STATION))
        log.info("certificate_handed_over", charge_point=station, serial=signed.serial, word=answer.word)
        return answer

    async def _write(self, decide: Decide[None]) -> None:
        await self._journal.write(decide)


def _against(state: SiteState, station: StationKey, common_name: str) -> str | None:
    """Why no certificate of this name is for this station; None: it is."""
    known = state.stations.get(station)
    own = [str(station), *((known.serial,) if known is not None and known.serial else ())]
    if not any(names_station(common_name, each) for each in own):
        return "other_name"
    return "too_many" if len(state.certificates) >= ISSUED_MAX else None


def _fact(station: StationKey, event: CertificateAnswered, author: Author) -> Decide[None]:
    return lambda _ledger: Decision((Fact(f"security:{station}", event, author),), None)


def _decide_request(station: StationKey, request: str, number: int | None, refusal: str | None) -> Decide[bool]:
    """Whether it is taken. One that comes right after another is not even written down."""

    def decide(ledger: Ledger) -> Decision[bool]:
        before = security_of(ledger.state, station).signing
        if before is not None and 0 <= (ledger.now.wall - before.at).total_seconds() < ASK_AGAIN_S:
            return Decision((), False)
        entity = f"security:{station}"
        asked = Fact(entity, CertificateRequested(request if refusal is None else "", number), STATION)
        if refusal is None:
            return Decision((asked,), True)
        return Decision((asked, Fact(entity, CertificateAnswered(SigningState.REFUSED, refusal), BOX)), False)

    return decide


def _issued(station: StationKey, signed: Signed, author: Author) -> Decide[None]:
    def decide(_ledger: Ledger) -> Decision[None]:
        issued = CertificateIssued(station, signed.common_name, signed.ends)
        answered = CertificateAnswered(SigningState.SIGNED)
        return Decision(
            (Fact(f"certificate:{signed.serial}", issued, author), Fact(f"security:{station}", answered, author)), None
        )

    return decide
