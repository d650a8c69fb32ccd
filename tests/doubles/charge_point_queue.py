"""The transaction messages of a virtual charge point that are not confirmed yet: kept in order, retried, then dropped.

Pure: no I/O, no clock. Outlives connections, reboots and power cuts. What a message says is the tongues' business.
Source: OCPP 1.6 §3.7.1 (retry interval multiplied by the transmissions before, then discarded); OCPP 2.0.1 E13.
Start at `TransactionQueue`.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from tests.doubles.charge_point_connector import Transaction
from tests.doubles.charge_point_frames import Payload


@dataclass(slots=True)
class QueuedMessage:
    """`role` says what it is to the transaction. `failures` counts refusals and time-outs."""

    role: Literal["start", "update", "end"]
    action: str
    payload: Payload
    transaction: Transaction | None
    failures: int = 0


@dataclass(slots=True)
class TransactionQueue:
    """Only the head may be on its way. When full, the oldest meter values go, the ends of transactions never."""

    limit: int = 2_000
    waiting: deque[QueuedMessage] = field(default_factory=deque)
    discarded: list[QueuedMessage] = field(default_factory=list)

    def put(self, message: QueuedMessage) -> None:
        self.waiting.append(message)
        if len(self.waiting) > self.limit:
            self._drop_oldest_update()

    def head(self) -> QueuedMessage | None:
        return self.waiting[0] if self.waiting else None

    def confirmed(self, message: QueuedMessage) -> None:
        self._remove(message)
        transaction = message.transaction
        if transaction is not None and message.role == "start":
            transaction.start_confirmed = True
        elif transaction is not None and message.role == "end":
            transaction.stop_confirmed = True

    def failed(self, message: QueuedMessage, *, attempts: int) -> int | None:
        """The number of retry intervals to wait; None when it was the last attempt and the message is dropped."""
        message.failures += 1
        if message.failures < attempts:
            return message.failures
        self._remove(message)
        self.discarded.append(message)
        if message.role == "start" and message.transaction is not None:
            message.transaction.start_discarded = True
        return None

    def of(self, transaction: Transaction) -> bool:
        """Whether something of this transaction still waits."""
        return any(message.transaction is transaction for message in self.waiting)

    def _remove(self, message: QueuedMessage) -> None:
        if self.waiting and self.waiting[0] is message:
            self.waiting.popleft()

    def _drop_oldest_update(self) -> None:
        for place, message in enumerate(self.waiting):
            if place and message.role == "update":
                del self.waiting[place]
                self.discarded.append(message)
                return
