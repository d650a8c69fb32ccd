"""Why a try of a webhook came to nothing, in words. Pure. Start at `PROBLEMS`."""

PROBLEMS = {
    "status": "The server answered, and not with a status of 200 to 299.",
    "redirect": "The server sent us elsewhere; redirects are not followed. Set the address it names.",
    "timeout": "The server took longer than 10 seconds.",
    "tls": "The connection could not be encrypted: look at the server's certificate.",
    "name_unknown": "Nobody knows that name.",
    "not_reached": "The server was not reached, or hung up.",
    "address_refused": "That name leads to an address that is not of the open Internet.",
    "failed": "Nothing could be sent.",
}
"""By the codes of `console.webhook_sender`."""
