"""Meters: found, identified, read. Start at `profiles` for what a meter is, at `poller` for how it is read."""
