"""The boxes' side of the cloud: their WebSockets and their enrolment. Begin at `server`."""
