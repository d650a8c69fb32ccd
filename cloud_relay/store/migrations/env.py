"""What Alembic runs for every command: the steps, on the connection and in the transaction of the caller.

Without one (`alembic` by hand has none to give) there is nothing to do: `cloud_relay.store.migrate` is the way.
"""

from alembic import context

from cloud_relay.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, render_as_batch=True,
    transactional_ddl=False,  # the caller's transaction holds all of it
)  # fmt: skip
context.run_migrations()
