"""The core of the cloud: every rule, as plain functions over `ports.Books`. No SQL, no sockets, no HTTP.

A rule takes the books of one transaction and who acts (`acts.Act`), reads, decides and writes; it may run again from
the start when the database asks for it, so it has no other effect. Start at `ports`.
"""
