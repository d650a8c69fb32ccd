"""The boxes' websockets and their enrolment. Adapters meet only in `fleet`."""
