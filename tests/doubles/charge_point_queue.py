"""The transaction messages of a virtual charge point that are not confirmed yet: kept in order, retried, then dropped.

Pure: no I/O, no clock. Outlives connections, reboots and power cuts. Source: OCPP 1.6 §3.7.1 (retry interval
multiplied by the transmissions before, then discarded), errata 3.18 (transactionId -1). Start at `TransactionQueue`.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from tests.doubles.charge_point_connector import Transaction
from tests.doubles.charge_point_frames import Payload

TransactionAction = Literal["StartTransaction", "MeterValues", "StopTransaction"]
UNKNOWN_TRANSACTION = -1


@dataclass(slots=True)
class QueuedMessage:
    """`payload` lacks the transactionId, known only when it is sent. `failures` counts refusals and time-outs."""

    action: TransactionAction
    payload: Payload
    transaction: Transaction | None
    failures: int = 0

    def ready(self) -> Payload:
        """As it goes on the wire now."""
        if self.action == "StartTransaction" or self.transaction is None:
            return self.payload
        known = self.transaction.transaction_id
        if self.action == "StopTransaction":
            return {**self.payload, "transactionId": UNKNOWN_TRANSACTION if known is None else known}
        return self.payload if known is None else {**self.payload, "transactionId": known}


@dataclass(slots=True)
class TransactionQueue:
    """Only the head may be on its way. When full, the oldest meter values go, transactions never."""

    limit: int = 2_000
    waiting: deque[QueuedMessage] = field(default_factory=deque)
    discarded: list[QueuedMessage] = field(default_factory=list)

    def put(self, message: QueuedMessage) -> None:
        self.waiting.append(message)
        if len(self.waiting) > self.limit:
            self._drop_oldest_meter_values()

    def head(self) -> QueuedMessage | None:
        return self.waiting[0] if self.waiting else None

    def confirmed(self, message: QueuedMessage, answer: Payload) -> None:
        """Take the central system's word: the transaction's id and whether its id token is good."""
        self._remove(message)
        transaction = message.transaction
        if transaction is None:
            return
        if message.action == "StartTransaction":
            transaction.transaction_id = answer.get("transactionId")
            transaction.start_answer = (answer.get("idTagInfo") or {}).get("status", "")
        elif message.action == "StopTransaction":
            transaction.stop_confirmed = True

    def failed(self, message: QueuedMessage, *, attempts: int) -> int | None:
        """The number of retry intervals to wait; None when it was the last attempt and the message is dropped."""
        message.failures += 1
        if message.failures < attempts:
            return message.failures
        self._remove(message)
        self.discarded.append(message)
        if message.action == "StartTransaction" and message.transaction is not None:
            message.transaction.start_discarded = True
        return None

    def _remove(self, message: QueuedMessage) -> None:
        if self.waiting and self.waiting[0] is message:
            self.waiting.popleft()

    def _drop_oldest_meter_values(self) -> None:
        for place, message in enumerate(self.waiting):
            if place and message.action == "MeterValues":
                del self.waiting[place]
                self.discarded.append(message)
                return
