"""The cloud of the simulator: the real intake, registration and follow-ups on the real SQL store.

Every step is one transaction.

No threads and no sockets. Start at `SimCloud`.
"""

import atexit
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from datetime import datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, ClassVar, TypeVar

import msgspec

from cloud_relay.fleet.acts import SYSTEM, Act
from cloud_relay.fleet.follow_ups import follow, recheck
from cloud_relay.fleet.ids import GatewayId
from cloud_relay.fleet.intake import take
from cloud_relay.fleet.log_records import Activation, Held, Place, StoredOp
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.registration import EPOCH, Refused, Welcomed, begin_epoch, register
from cloud_relay.fleet.site_desk import SiteDesk, load, open_desk
from cloud_relay.fleet.sites import add_gateway, add_site
from cloud_relay.fleet.teams import add_team
from cloud_relay.store.database import SQLITE_FILE, SqliteDatabase
from cloud_relay.store.store import Store, open_store
from sitelink.decisions import Decide
from sitelink.digest import digest_of
from sitelink.ids import JobId
from sitelink.model import SiteState
from sitelink.ops import Fact
from sitelink.records import encode_record
from sitelink.wire import effects as f
from sitelink.wire import messages as m
from sitelink.wire.cloud import CloudSession, Taken
from tests.doubles.clock import FakeClock

T = TypeVar("T")
SHARED_MEMORY = "/dev/shm"


def scratch() -> str:
    return tempfile.mkdtemp(prefix="gatepost-sim-", dir=SHARED_MEMORY if os.path.isdir(SHARED_MEMORY) else None)


@cache
def empty_database() -> Path:
    """With its tables, made once in each process."""
    folder = Path(scratch())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with open_store("", folder):
        pass
    return folder / SQLITE_FILE


class Here:
    """Runs what it is given at once: a schedule has one thread."""

    def submit(self, work: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        done: Future[Any] = Future()
        try:
            done.set_result(work(*arguments))
        except BaseException as error:
            done.set_exception(error)
        return done

    def shutdown(self) -> None: ...


class SimDatabase(SqliteDatabase):
    """A real one, on the thread that asks. All of a process use what was compiled for the first: they are opened often,
    and compiling statements anew would be half of a schedule's time."""

    _dialect: Any = None
    _compiled: ClassVar[dict[Any, Any]] = {}

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self._writers = self._readers = Here()  # type: ignore[assignment]
        for engine in (self._writing, self._reading):
            if SimDatabase._dialect is None:
                engine.connect().close()
                SimDatabase._dialect = engine.dialect
            engine.dialect = engine.pool._dialect = SimDatabase._dialect
            engine._compiled_cache = self._compiled


class SimCloud:
    """A cloud with teams, each with one site and its gateways."""

    def __init__(self, clock: FakeClock, random: Random) -> None:
        self.clock = clock
        self._random = random
        self._folder = Path(scratch())
        self._stack = ExitStack()
        self.store: Store = self._open("live")
        self._held: dict[GatewayId | str, Held] = {}
        self.ends: dict[str, int] = {}
        """The newest place of each site's log, as far as this process knows."""
        self.links: list[CloudLink] = []
        self.store.write_now(lambda books: books.secrets.put(EPOCH, self.new_id()))
        self.mutant = ""
        """What is done wrong on purpose, to see that the simulator notices."""

    def _open(self, name: str) -> Store:
        folder = self._folder / name
        folder.mkdir()
        shutil.copyfile(empty_database(), folder / SQLITE_FILE)
        database = SimDatabase(folder / SQLITE_FILE)
        self._stack.callback(database.close)
        return Store(database)

    def close(self) -> None:
        self._stack.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def new_id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def team(self, name: str) -> Place:
        act = Act(SYSTEM, self.clock.now())

        def work(books: Books) -> Place:
            team = add_team(books, act, name)
            return Place(team.id, team.name, add_site(books, act, team.id, f"Site of {name}").id)

        return self.store.write_now(work)

    def gateway(self, place: Place) -> GatewayId:
        act = Act(SYSTEM, self.clock.now())

        def work(books: Books) -> GatewayId:
            site = books.sites.of(place.team, place.site)
            assert site is not None
            gateway, _claim = add_gateway(books, act, site, "Box")
            books.sites.put_gateway(msgspec.structs.replace(gateway, device_key="key"))
            return gateway.id

        return self.store.write_now(work)

    # ---- its disk ----

    def backup(self) -> Path:
        file = self._folder / f"backup-{self.new_id()}"
        self.store.backup(file)
        return file

    def restore(self, file: Path) -> None:
        """Links break, and the epoch is another one: a required step of restoring."""
        self._stack.close()
        self._stack = ExitStack()
        self.store = self._open(f"restored-{self.new_id()}")
        self.store.restore(file)
        self.store.write_now(lambda books: begin_epoch(books, self.new_id()))
        self.crash()

    def crash(self) -> None:
        """The process ends and starts anew: nothing is left of what was in memory."""
        self._held.clear()
        self.ends.clear()
        for link in self.links:
            link.dead = True
        self.links.clear()

    # ---- steps ----

    def at(self, place: Place, gateway: GatewayId | None, work: Callable[[SiteDesk], T]) -> T:
        key = gateway or place.site
        now: datetime = self.clock.now()

        def whole(books: Books) -> tuple[T, Held, SiteDesk]:
            desk = open_desk(books, place, gateway, self._held.get(key), now, self.new_id)
            result = work(desk)
            return result, desk.flush(), desk

        result, held, desk = self.store.write_now(whole)
        self._held[key] = held
        self.ends[place.site] = held.version.place
        for identity in desk.released:
            self._recheck(identity)
        return result

    def _recheck(self, identity: str) -> None:
        def waiting(books: Books) -> Sequence[Place]:
            return books.links.places(books.identities.waiting(identity))

        for other in self.store.read_now(waiting):
            self.at(other, None, lambda there: recheck(there, identity))

    def decide(self, place: Place, decide: Decide[T]) -> T:
        """What a person does in the console."""

        def work(desk: SiteDesk) -> T:
            result = desk.decide(decide)
            follow(desk)
            return result

        return self.at(place, None, work)

    def record(self, place: Place, facts: Sequence[Fact]) -> None:
        def work(desk: SiteDesk) -> None:
            desk.record(facts)
            follow(desk)

        self.at(place, None, work)

    def log(self, place: Place) -> Sequence[StoredOp]:
        """The whole log of a site."""
        return self.store.read_now(lambda books: books.logs.after(place.site, 0, 100_000))

    def activations(self, place: Place, job: JobId) -> Sequence[Activation]:
        return self.store.read_now(lambda books: books.identities.activations(place.site, job))

    def state(self, place: Place) -> SiteState:
        return self.store.read_now(lambda books: load(books, place.site, None))

    def digest(self, place: Place) -> str:
        return digest_of(self.state(place))

    def end(self, place: Place) -> int:
        if place.site not in self.ends:
            self.ends[place.site] = self.store.read_now(lambda books: books.logs.end(place.site))
        return self.ends[place.site]

    def open_link(self) -> "CloudLink":
        link = CloudLink(self)
        self.links.append(link)
        return link


class CloudLink:
    """The cloud's end of one connection."""

    def __init__(self, cloud: SimCloud) -> None:
        self.cloud = cloud
        self.session = CloudSession(cloud.new_id())
        self.dead = False
        self.place: Place | None = None
        self.gateway: GatewayId | None = None

    def effect(self, effect: f.Effect) -> Sequence[f.Effect]:
        session, cloud = self.session, self.cloud
        if isinstance(effect, f.Register):
            return self._register(effect)
        if self.place is None or self.gateway is None:
            return ()
        place = self.place
        if isinstance(effect, f.Take):
            return session.taken(self._take(effect.batch))
        if isinstance(effect, f.LoadFeed):
            stored = cloud.store.read_now(lambda books: books.logs.after(place.site, effect.after, 5))
            return session.feed_loaded([m.FeedItem(each.place or 0, msgspec.Raw(each.body)) for each in stored])
        if isinstance(effect, f.LoadSnapshot):
            records = cloud.store.read_now(lambda books: books.logs.records(place.site, None))
            bodies = [(each.key, encode_record(each)) for each in records]
            return session.snapshot_loaded(cloud.new_id(), cloud.end(place), bodies)
        if isinstance(effect, f.Compare):
            same = effect.at != cloud.end(place) or effect.sha256 == cloud.digest(place)
            assert same, "a box that has the whole log folded it to something else"
            return session.compared(same=same)
        return ()

    def _register(self, effect: f.Register) -> Sequence[f.Effect]:
        cloud = self.cloud

        def work(books: Books) -> Welcomed | Refused:
            return register(
                books, effect.hello, effect.nonce, verify=lambda *_: True, node="sim", session=cloud.new_id(),
                now=cloud.clock.now(),
            )  # fmt: skip

        before = cloud.store.read_now(lambda books: books.links.of(GatewayId(effect.hello.gateway)))
        found = cloud.store.write_now(work)
        if cloud.mutant == "kept_numbers" and before is not None and isinstance(found, Welcomed):
            kept = msgspec.structs.replace(found.link, taken=before.taken)
            cloud.store.write_now(lambda books: books.links.put(kept))
        if isinstance(found, Refused):
            return self.session.refused(found.code, found.after_ms)
        self.gateway = found.enrolled.gateway
        self.place = Place(found.enrolled.team, found.enrolled.team_name, found.enrolled.site)
        known = found.registered
        if known.mode == "reoffer" and cloud.mutant == "no_reoffer":
            known = msgspec.structs.replace(known, mode="resume", epoch=effect.hello.epoch or "")
        return self.session.registered(known)

    def _take(self, batch: m.Batch) -> Taken:
        assert self.place is not None
        assert self.gateway is not None
        gateway = self.gateway
        if self.cloud.mutant == "ack_before_commit" and self.cloud.new_id()[0] in "01":
            return Taken(ack=m.Ack(upto=batch.first + len(batch.ops) - 1))

        def work(desk: SiteDesk) -> Taken:
            link = desk.books.links.of(gateway)
            assert link is not None
            taken, moved = take(desk, link, batch)
            if taken.ack is not None:
                desk.books.links.put(moved)
            return taken

        return self.cloud.at(self.place, gateway, work)
