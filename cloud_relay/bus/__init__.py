"""News and orders between nodes of the cloud. Nothing is kept here: a bus that is wiped loses nothing."""
