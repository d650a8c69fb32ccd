"""All tables: whoever needs the whole of them takes METADATA from here."""

from cloud_relay.store.alert_tables import alert
from cloud_relay.store.log_tables import op
from cloud_relay.store.schema import METADATA
from cloud_relay.store.webhook_tables import webhook

__all__ = ["METADATA", "alert", "op", "webhook"]
