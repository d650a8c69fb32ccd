"""How the tables came to be, a file a step, only ever added to. Alembic runs them; see `cloud_relay.store.migrate`."""
