"""The journal as the core sees it: hands decisions to the writer, publishes what was committed, then answers.

Start at `DiskJournal.write`. Lives on the event loop; the writer's news arrive by one callback a batch.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import structlog

from edge_agent.site.ports import Committed, Decide, Trouble
from edge_agent.store.writer import Answer, Errand, Request, Work, Writer
from sitelink.apply import apply_to
from sitelink.errors import StoreUnavailable
from sitelink.model import SiteState

log = structlog.get_logger()

T = TypeVar("T")


class DiskJournal:
    """See `edge_agent.site.ports.Journal`."""

    def __init__(self, state: SiteState, seq: int, loop: asyncio.AbstractEventLoop) -> None:
        self._state = state
        self._seq = seq
        self._loop = loop
        self._writer: Writer | None = None
        self._gathered: list[Request | Errand] = []
        """Since the loop last came round: handed over together, so that the writer's thread is woken once."""
        self._trouble: Trouble | None = None
        self._listeners: list[Callable[[Committed], None]] = []
        self._trouble_listeners: list[Callable[[Trouble | None], None]] = []
        self._on_long_log: Callable[[], None] = lambda: None
        self.failure: asyncio.Future[BaseException] = loop.create_future()
        """Done when the writer failed for good."""

    @property
    def state(self) -> SiteState:
        return self._state

    @property
    def seq(self) -> int:
        return self._seq

    @property
    def trouble(self) -> Trouble | None:
        return self._trouble

    def write(self, decide: Decide[T]) -> asyncio.Future[T]:
        """See the port. A cancelled write may still commit."""
        ticket: asyncio.Future[T] = self._loop.create_future()
        self._submit(Request(decide, ticket))
        return ticket

    async def run(self, work: Work) -> Any:
        """Do something of the store's own in a transaction on the writer. Raises as `write`."""
        ticket: asyncio.Future[Any] = self._loop.create_future()
        self._submit(Errand(work, ticket))
        return await ticket

    def submit(self, work: Work) -> None:
        """As `run`, from any thread, and nobody waits for it."""
        if self._writer is not None:
            self._writer.submit(Errand(work, None))

    def subscribe(self, listener: Callable[[Committed], None]) -> None:
        self._listeners.append(listener)

    def on_trouble(self, listener: Callable[[Trouble | None], None]) -> None:
        self._trouble_listeners.append(listener)

    # ---- the store's own wiring ----

    def attach(self, writer: Writer, on_long_log: Callable[[], None]) -> None:
        self._writer = writer
        self._on_long_log = on_long_log

    def detach(self) -> None:
        """From here on nothing is taken."""
        self._hand_over()
        self._writer = None

    def _submit(self, request: Request | Errand) -> None:
        if self._writer is None:
            request.ticket.set_exception(StoreUnavailable(reason="failed"))
            return
        self._gathered.append(request)
        if len(self._gathered) == 1:
            self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        gathered, self._gathered = self._gathered, []
        if gathered and self._writer is not None:
            self._writer.submit(*gathered)

    # ---- told from the writer's thread ----

    def answered(self, committed: Committed | None, answers: Sequence[Answer]) -> None:
        self._later(self._publish, committed, answers)

    def troubled(self, trouble: Trouble | None) -> None:
        self._later(self._show_trouble, trouble)

    def failed(self, error: BaseException) -> None:
        self._later(self._fail, error)

    def log_is_long(self) -> None:
        self._on_long_log()

    def _later(self, callback: Callable[..., None], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:  # the loop is gone, and with it everybody who waited
            log.warning("store_news_unheard")

    # ---- on the event loop ----

    def _publish(self, committed: Committed | None, answers: Sequence[Answer]) -> None:
        """State first, then the listeners, then the callers."""
        if committed is not None:
            for changes in committed.changes:
                apply_to(self._state, changes)
            self._seq = committed.seq
            _tell(self._listeners, committed)
        for ticket, result, error in answers:
            if ticket is None or ticket.done():
                continue
            if error is None:
                ticket.set_result(result)
            else:
                ticket.set_exception(error)

    def _show_trouble(self, trouble: Trouble | None) -> None:
        self._trouble = trouble
        _tell(self._trouble_listeners, trouble)

    def _fail(self, error: BaseException) -> None:
        if not self.failure.done():
            self.failure.set_result(error)


def _tell(listeners: Sequence[Callable[[Any], None]], news: object) -> None:
    """A listener's bug is its own: what is on disk is confirmed all the same."""
    for listener in listeners:
        try:
            listener(news)
        except Exception:
            log.exception("listener_failed")
