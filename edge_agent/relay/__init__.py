"""The box's link to its cloud. Loaded only where there is one.

`link` is the shell, `backoff` says when to try, `verdicts` what went wrong, `enrolment` who the box is there.
"""
