"""The cloud's memory: SQLite in a file, or PostgreSQL. No rule is made here.

Start at `store.open_store`; `Store.write` and `Store.read` are the only way to the data. Beside it: `database` (how
each of the two is connected to and what a transaction is), `schema` (the tables), `migrate` (from any older version to
today's), `books` (what a transaction offers, an object an area: `accounts`, `sites`, `audit` …), `backup`.

A new area: its Protocol in `fleet/ports.py` and its name in `Books` there, tables in `schema`, a file in
`migrations/versions`, a class `Sql…` in a module of its own here, and a line in `books`.
"""
