"""Steps and ends of files on their way, each as what it says, what to do, and what is said where a field is missing.

Pure. `web_ui.wording` makes its words of them; the codes come from `web_ui.transfer_views` and
`edge_agent.site.transfer_rules`. Start at `TRANSFERS`.
"""


def _(says: str, do: str = "", bare: str | None = None) -> tuple[str, str, str | None]:
    return says, do, bare


TRANSFERS: dict[str, tuple[str, str, str | None]] = {
    "transfer_asked": _("The box has asked the charge point and waits for its answer."),
    "transfer_answered": _(
        "The charge point said “{answer}”; nothing has gone over yet.",
        "",
        "The charge point has answered; nothing has gone over yet.",
    ),
    "transfer_said": _("The charge point says “{word}”."),
    "transfer_coming": _("{so_far} have arrived."),
    "transfer_file_here": _("The whole file is here ({size}); the charge point has not said that it is done."),
    "transfer_tried": _("An upload came to nothing; the box waits for the next try."),
    "transfer_tried.too_large": _("The file is larger than the box takes; it was cut off.", "Ask the operator."),
    "transfer_tried.too_slow": _("The upload was too slow and was ended; the box waits for the next try."),
    "transfer_tried.cut_off": _("The connection broke during the upload; the box waits for the next try."),
    "transfer_tried.no_room": _("The box has no room for the file.", "Ask the operator."),
    "transfer_fetching": _("{so_far} of {size} have been fetched."),
    "transfer_fetched": _("The charge point has fetched the whole image; it is not installed yet."),
    "transfer_fetched_said": _("The image is fetched; the charge point says “{word}”."),
    "transfer_received": _("Received whole ({size})."),
    "transfer_received_said_failed": _(
        "Received whole ({size}), although the charge point said “{word}”.", "The file can be used."
    ),
    "transfer_received_no_word": _("Received whole ({size}); the charge point said nothing more."),
    "transfer_nothing_arrived": _(
        "The charge point said “{word}”, but nothing arrived here.",
        "Ask again; if it stays so, try another way (FTP or HTTP).",
    ),
    "transfer_upload_failed": _(
        "The charge point could not upload: it said “{word}”.",
        "Ask again; if it stays so, try another way (FTP or HTTP).",
    ),
    "transfer_upload_failed.too_large": _("The file is larger than the box takes.", "Ask the operator."),
    "transfer_upload_failed.no_room": _("The box has no room for the file.", "Ask the operator."),
    "transfer_nothing_to_upload": _("The charge point named no file: it has nothing to upload."),
    "transfer_not_arrived": _("Nothing arrived in time.", "Ask again; if it stays so, try another way."),
    "transfer_no_answer": _(
        "The charge point did not answer, and nothing went over.", "Check that it is still connected, then ask again."
    ),
    "transfer_not_opened": _("The box could not open a way for the file.", "Ask again, or try another way."),
    "transfer_refused": _("The charge point refused.", "Look at its status and display, then ask again."),
    "transfer_not_supported": _("This model cannot do that."),
    "transfer_signed_not_supported": _(
        "This model takes no signed updates.", "An update without signature must be asked for as such."
    ),
    "transfer_certificate_refused": _(
        "The charge point does not accept the certificate of this image.",
        "Ask the maker for an image signed for this model.",
    ),
    "transfer_call_error": _(
        "It reported an error instead: {answer}.",
        "Ask again; if it stays, restart it.",
        "It reported an error instead.",
    ),
    "transfer_offline": _("It was not connected; nothing was sent.", "Wait until it is connected and ask again."),
    "transfer_interrupted": _("The box was restarted before the result was known.", "Ask again."),
    "transfer_not_run": _("The box could not carry this out.", "Ask again; if it stays, tell the operator."),
    "transfer_new_version": _(
        "Installed: the charge point runs version {version}.",
        "",
        "Installed: the charge point runs another version than before.",
    ),
    "transfer_other_version": _(
        "It runs version {version} now, which is not the one expected ({wanted}).",
        "Check the image.",
        "It runs another version than the one expected.",
    ),
    "transfer_installed": _("The charge point says that it is installed."),
    "transfer_download_failed": _("The charge point could not fetch the image.", "Ask again."),
    "transfer_installation_failed": _("The charge point could not install the image.", "Check that it fits."),
    "transfer_verification_failed": _(
        "The charge point found the image not right after installing it.", "Check the image."
    ),
    "transfer_signature_invalid": _(
        "The charge point found the signature not right; nothing was installed.",
        "Check image, signature and certificate.",
    ),
    "transfer_not_fetched": _(
        "The charge point did not fetch the image in time.", "Check that it reaches the box, then ask again."
    ),
    "transfer_not_installed": _(
        "Fetched, but nothing more was heard of it.", "Look at the version it reports when it boots."
    ),
    "transfer_same_version": _("It has booted again with the version it had before.", "Check the image."),
}
