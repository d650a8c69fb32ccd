"""The box's memory: one SQLite file, one writer.

Start at `store.open_store`. The way of a write: `journal` (event loop) → `writer` (its thread, group commit) →
`ledger` (decide, fold, rows) → commit → back to `journal`, which publishes and answers. Beside it: `reader` (the past,
read-only, and the backup), `outbox` (what the cloud has), `retention` (what goes when space is short), `salvage` (a
damaged file). Deliberately absent: any network, and any second writer.
"""
