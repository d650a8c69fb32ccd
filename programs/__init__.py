"""What both programs need to run: settings, log lines, the real clock, the version.

The box and the cloud never import each other, and neither of `web_ui` (what people see) and `sitelink` (pure) is the
place for files, streams and the system's time. Nothing here knows what the programs do.
"""
