"""Every code a person can meet, as one sentence and the next step to take. Nothing else is ever shown of an error.

Pure. Start at `sentence` and `next_step`; `WORDS` is the whole vocabulary. A code may have variants, looked up as
`code.VALUE` of its telling field, and a `bare` form for when a field it speaks of is not known. Source: UX §6.1.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from web_ui.call_words import CALLS, PROGRAMS
from web_ui.meter_words import METERS
from web_ui.transfer_words import TRANSFERS


class Words(NamedTuple):
    """Templates for str.format over the fields. `bare` stands in for `says` where one of its fields is missing."""

    says: str
    do: str = ""
    bare: str | None = None


GENERIC = Words("Something is not right here.", "Try again; if it stays, tell the operator.")

ERRORS: dict[str, Words] = {
    "site_error": Words("That cannot be done.", "Load the page again and try once more."),
    "identity_invalid": Words("That identity cannot be used.", "Check it against the label."),
    "identity_invalid.too_long": Words(
        "That is {found} characters; a charge point identity has at most {allowed}.",
        "Check that only the serial number was entered.",
        "That is too long for a charge point identity.",
    ),
    "identity_invalid.character": Words(
        "“{found}” cannot be part of a charge point identity.",
        "Use {allowed}.",
        "One of these characters cannot be part of a charge point identity.",
    ),
    "identity_in_use": Words(
        "{name} already uses this serial and connector.",
        "Check both labels, choose the other connector, or swap the two.",
        "Another charge point of this job already uses this serial and connector.",
    ),
    "connector_invalid": Words("There is no such connector.", "Choose one of the numbers offered."),
    "meter_invalid": Words(
        "That cannot be the {where} of a meter.", "Allowed: {allowed}.", "A meter cannot be so."
    ),
    "meter_exists": Words(
        "There is a meter called {name} already.", "Give it another name.", "There is a meter of that name already."
    ),
    "meter_not_read_now": Words(
        "{name} is not read at present.", "Look at its state; at the box its wiring is checked.",
        "The meter is not read at present.",
    ),
    "charge_active": Words(
        "{name} is charging; this cannot be changed meanwhile.",
        "Stop the charge first.",
        "A car is charging; this cannot be changed meanwhile.",
    ),
    "job_read_only": Words("This job can no longer be changed.", "Ask the operator if something must still change."),
    "job_read_only.completed": Words(
        "This job is completed and can no longer be changed.", "Ask the operator to reopen it."
    ),
    "job_read_only.archived": Words("This job was archived by the operator.", "Ask the operator to reopen it."),
    "job_read_only.cancelled": Words("This job was cancelled by the operator.", "Ask the operator what to do."),
    "already_completed": Words(
        "Already completed at {at} by another device.", "Nothing more to do here.", "This job is already completed."
    ),
    "job_not_completed": Words("The job is not completed.", "Complete it first."),
    "job_exists": Words(
        "Job {number} is already on this box.",
        "Give the new job another number, or replace the old one.",
        "That job is already on this box.",
    ),
    "job_file_invalid": Words(
        "The job file is not right at {where}: {problem}.",
        "Correct the file and import it again.",
        "The job file is not right.",
    ),
    "not_found": Words("That is not here (any more).", "Load the page again."),
    "action_unavailable": Words("That is not possible right now.", "Look at the status and try again."),
    "confirmation_needed": Words(
        "A car is charging now; the session will end.", "Press once more to confirm, or leave it."
    ),
    "note_invalid": Words("That note cannot be saved.", "Change it and save again."),
    "note_invalid.empty": Words("The note is empty.", "Write something, then save."),
    "note_invalid.too_long": Words(
        "The note is too long; {allowed} characters fit.",
        "Shorten it, or split it into two notes.",
        "The note is too long.",
    ),
    "note_invalid.too_many": Words(
        "This charge point has as many notes as the box keeps ({allowed}).",
        "Tell the operator the rest directly.",
        "This charge point has as many notes as the box keeps.",
    ),
    "request_invalid": Words("The box did not understand the request.", "Load the page again and try once more."),
    "request_invalid.empty": Words("Something is missing: {where}.", "Fill it in and send it again."),
    "request_invalid.too_short": Words(
        "Too short: {where}.", "Use at least {allowed} characters.", "Something is too short."
    ),
    "request_invalid.too_long": Words(
        "Too long: {where}.", "Use at most {allowed} characters.", "Something is too long."
    ),
    "request_invalid.not_a_url": Words("That is no web address.", "Write it as https://example.com/hook."),
    "request_invalid.not_https": Words(
        "That address is not encrypted, or goes to another port.", "Use an address that begins with https://."
    ),
    "request_invalid.address_refused": Words(
        "That address is not one of the open Internet.", "Use the name of a server that is reached from outside."
    ),
    "request_invalid.no_email": Words("That is no mail address.", "Write it as name@example.com."),
    "password_invalid": Words("That password cannot be used.", "Allowed: {allowed}."),
    "certificate_invalid": Words("That certificate cannot be used.", "Compare it with what was asked for."),
    "key_underway": Words("A password is on its way to this charge point already.", "Wait until it has answered."),
    "id_token_invalid": Words(
        "That id token cannot be listed: {where} is not right.", "Correct it and try again.",
        "That id token cannot be listed.",
    ),
    "id_token_invalid.too_many": Words(
        "The list is full; {allowed} id tokens fit.", "Take some off the list first.", "The list of id tokens is full."
    ),
    "id_token_list_invalid": Words(
        "Nothing was taken in; wrong lines of the table: {count}.",
        "Correct the lines that are named and send the whole table again.",
        "Nothing was taken in: the table is not right.",
    ),
    "setting_invalid": Words(
        "{key} cannot be “{found}”.", "Allowed: {allowed}.", "That setting cannot have this value."
    ),
    "setting_invalid.unknown": Words(
        "{key} is no setting that can be changed from here.", "Change one of these: {allowed}.",
        "That is no setting that can be changed from here.",
    ),
    "link_unknown": Words(
        "That code does not match a job on this box.", "Check it, or ask the operator for a new link."
    ),
    "link_ended": Words(
        "This link has ended. Job {number} was {status} at {at}.",
        "Ask the operator for a new link if there is more to do.",
        "This link has ended.",
    ),
    "link_ended.expired": Words(
        "This link to job {number} ended by itself at {at}.",
        "Ask the operator for a new link if there is more to do.",
        "This link has ended.",
    ),
    "sign_in_needed": Words("Open the job first.", "Paste the link or token from the operator."),
    "sign_in_needed.admin_token": Words(
        "This needs a token of the box's own API.", "Make one on the box: edge-agent token new --name NAME."
    ),
    "sign_in_needed.admin_token_unknown": Words(
        "That is no token of this box, or it was taken back.", "Make one on the box: edge-agent token new --name NAME."
    ),
    "sign_in_needed.api_token": Words(
        "This needs a token of your team.", "Make one: cloud-relay token new --team TEAM --name NAME."
    ),
    "sign_in_needed.console": Words("You are not signed in any more.", "Sign in, then try once more."),
    "sign_in_refused": Words(
        "That mail address and password do not go together.", "Try again, or have a new password sent to you."
    ),
    "rows_invalid": Words(
        "Line {line} of the charge points, {column}: {problem}.", "Correct that line; nothing was made yet.",
        "A line of the charge points cannot be read.",
    ),
    "request_invalid.no_day": Words("That is no day: {where}.", "Write it as 2026-11-26."),
    "provider_refused": Words(
        "Signing in with the other provider did not work ({reason}).", "Try again, or sign in with a password.",
        "Signing in with the other provider did not work.",
    ),
    "provider_refused.denied": Words("The other provider did not let you in.", "Try again there."),
    "provider_refused.unknown": Words(
        "Nobody here has that mail address.", "Ask an administrator of your team for an invitation."
    ),
    "provider_refused.unverified": Words(
        "The other provider has not checked your mail address.", "Have it checked there, then try again."
    ),
    "provider_refused.unreachable": Words(
        "The other provider does not answer.", "Try again in a minute, or sign in with a password."
    ),
    "provider_refused.state": Words(
        "That took too long, or began in another browser.", "Begin again with the provider's button."
    ),
    "provider_refused.linked_elsewhere": Words(
        "Your account here belongs to another account at the provider.", "Sign in there with the one you used before."
    ),
    "provider_refused.shut_out": Words("Your account here is closed.", "Ask an administrator of your team."),
    "password_wrong": Words("That is not your present password.", "Type it again."),
    "code_refused": Words(
        "That code is not right, or was used already.", "Wait for the next one in the app and type it at once."
    ),
    "invitation_ended": Words(
        "This link has ended: it was used, or is too old.", "Ask for a new one."
    ),
    "last_administrator": Words(
        "{name} is the last administrator of the team.", "Make somebody else administrator first.",
        "A team keeps at least one administrator.",
    ),
    "permission_missing": Words(
        "Your role in this team ({role}) does not allow that.", "Ask an administrator of the team.",
        "Your role in this team does not allow that.",
    ),
    "scope_missing": Words(
        "This token is not good for that: it lacks {scope}.", "Use one with this scope.",
        "This token is not good for that.",
    ),
    "forgery_refused": Words(
        "The box could not tell that this came from its own page.", "Load the page again and try once more."
    ),
    "host_refused": Words(
        "This box does not answer to that name.", "Open the page by the address on the link or the label."
    ),
    "too_many": Words("Too many tries.", "Wait {retry_after_s} seconds.", "Too many tries. Wait a minute."),
    "idempotency_key_reused": Words(
        "This key was used for another request.", "Take a new key for each thing you ask for."
    ),
    "idempotency_key_busy": Words("The first request with this key is still under way.", "Ask again in a moment."),
    "idempotency_key_busy.broke_off": Words(
        "The first request with this key broke off; nobody knows what became of it.",
        "Look whether it was carried out. If not, send it with a new key.",
    ),
    "serial_not_held": Words(
        "{name} has no serial here that could be given up or taken back.", "Look at the charge point again.",
        "There is no serial here that could be given up or taken back.",
    ),
    "name_taken": Words("There is a {what} named “{name}” already.", "Choose another name.", "That name is taken."),
    "backup_refused": Words("{file} cannot be restored here.", "Choose another file.", "That cannot be restored here."),
    "backup_refused.not_a_backup": Words(
        "{file} is no backup of a Gatepost cloud, or it is damaged.", "Choose another file."
    ),
    "backup_refused.other_version": Words(
        "{file} was made by another version of Gatepost (step {found}, this one is at {needed}).",
        "Restore it with that version, then update.",
    ),
    "backup_refused.not_empty": Words(
        "This database is in use already; nothing was restored.", "Restore into a new data_dir or an empty database."
    ),
    "claim_invalid": Words("That claim code is not good.", "Ask the operator for a new one."),
    "claim_invalid.expired": Words("That claim code has expired.", "Ask the operator for a new one."),
    "claim_invalid.used": Words("That claim code was used by another box.", "Ask the operator for a new one."),
    "claim_invalid.code_unknown": Words(
        "No box shows this code now.", "Look at the box again: its code changes every 15 minutes."
    ),
    "claim_invalid.code_used": Words("This box was claimed already.", "Look for it in the list of boxes."),
    "cloud_left": Words("That is not possible now.", "Look at edge-agent relay status."),
    "cloud_left.confirm": Words(
        "The box would forget its cloud (site {site}); {unsent} changes were not sent yet.",
        "Say --yes to leave all the same.", "The box would forget its cloud.",
    ),
    "cloud_left.no_agent": Words("No agent runs in this folder.", "Start it first, or set relay.claim."),
    "cloud_left.no_cloud": Words("This box works alone.", "Set relay.url to the cloud's address first."),
    "cloud_left.not_enrolled": Words("This box is in no cloud.", "There is nothing to leave."),
    "cloud_left.enrolled": Words(
        "This box belongs to site {site} already.", "Leave that first: edge-agent relay leave.",
        "This box belongs to a site already.",
    ),
    "relay_refused": Words(
        "The cloud does not take this box ({code}).", "Ask the operator for a new claim code.",
        "The cloud does not take this box.",
    ),
    "order_expired": Words("The order came too late and was not carried out.", "Try again."),
    "order_unknown": Words("This box does not know that order.", "Update the box."),
    "gateway_busy": Words("That is not possible with this box as it stands.", "Look at the box again."),
    "gateway_busy.replaced": Words("Another box took this one's place already.", "Look at the list of boxes."),
    "gateway_busy.revoked": Words("This box was ended.", "Expect a new box at the site instead."),
    "gateway_busy.not_enrolled": Words("This box never came.", "Use its claim, or end it and expect another."),
    "gateway_busy.not_quarantined": Words("This box is not stopped.", "There is nothing to release."),
    "gateway_busy.boot": Words(
        "None of the two boxes came from that start.", "Choose one of: {allowed}.", "That is none of the two boxes."
    ),
    "gateway_offline": Words(
        "The site's box is not connected; nothing was sent.", "Try again when it is back, or go to the site."
    ),
    "store_unavailable": Words("The box could not save this. Nothing was changed.", "Try again in a minute."),
    "store_unavailable.disk_full": Words(
        "The box's storage is full: this was not saved.", "Tell the operator; what was saved before is safe."
    ),
    "store_unavailable.read_only": Words(
        "The box's storage takes nothing at present: this was not saved.",
        "Tell the operator; what was saved before is safe.",
    ),
    "store_unavailable.damaged": Words(
        "The box's storage is damaged: this was not saved.", "Tell the operator; the box needs a look."
    ),
    "station_offline": Words(
        "The charge point is not connected at the moment.", "Check its power and network cable, then try again."
    ),
    "station_offline.not_served": Words(
        "The charge point is connected and waits: it is not served yet.",
        "Its status says why: no job names it, it may not connect yet, or another one has its name.",
    ),
    "no_answer": Words("No answer within 30 s.", "Check that it is still connected, then try again."),
    "call_refused": Words(
        "The charge point could not do that ({error_code}).", "Try again; if it stays, restart the charge point.",
        "The charge point could not do that.",
    ),
    "link_read_only": Words("This link can only look, not change anything.", "Use the installer's link."),
    "method_not_allowed": Words("That address does not take such a request.", "Go back to the job."),
    "too_large": Words("That is too much to send at once.", "Send less."),
    "media_type_refused": Words("The box does not take that kind of content.", "Load the page again."),
    "took_too_long": Words("The box took too long to answer.", "Look at the status before you try again."),
    "file_refused": Words("{path} cannot be written.", "Choose another place.", "That file cannot be written."),
    "file_refused.exists": Words(
        "{path} is there already; nothing was written.", "Choose another name.", "That file is there already."
    ),
    "file_refused.no_folder": Words(
        "{path} cannot be written: there is no such folder.", "Make the folder, or choose another.",
        "There is no such folder.",
    ),
    "file_refused.not_readable": Words(
        "{path} cannot be read by the box.", "Let its user read the file, or copy it elsewhere.",
        "That file cannot be read by the box.",
    ),
    "transfer_running": Words("One is under way already.", "Wait for its end."),
    "transfer_unavailable": Words("That cannot go over now.", "Choose another way (http or ftp)."),
    "transfer_unavailable.method": Words("The box and the charge point have no such way in common.",
                                         "Choose another way (http or ftp)."),
    "transfer_unavailable.firmware_by_ftp": Words("Firmware never goes by FTP.", "Use http or https."),
    "transfer_unavailable.ftp_port": Words("The box cannot listen for FTP.", "Set files.ftp_port to a free port."),
    "firmware_unsigned": Words(
        "{name} would be installed without a signature.",
        "Add the maker's signature and certificate, or say expressly that it shall be unsigned.",
        "That image would be installed without a signature.",
    ),
    "firmware_invalid": Words("That image cannot be kept.", "Check the file and what is said of it."),
    "firmware_invalid.empty": Words("The image is empty.", "Choose the right file."),
    "firmware_invalid.too_large": Words("The image is larger than the box takes.", "Raise files.firmware_max_bytes."),
    "firmware_invalid.no_room": Words("There is no room for the image.", "Remove an older one first."),
    "firmware_invalid.half_signed": Words("Signature and certificate belong together.", "Give both, or neither."),
    "firmware_invalid.no_file": Words("There is no file in it.", "Send the image as the part named file."),
    "file_gone": Words("That file is not on the box (any more).", "Ask the charge point for it again."),
    "server_fault": Words(
        "The box could not do this (code {ref}). Nothing was lost.",
        "Try again; if it stays, tell the operator the code.",
        "The box could not do this. Nothing was lost.",
    ),
}  # fmt: skip

EXPLANATIONS: dict[str, Words] = {
    "no_serial": Words("Type the serial number from the label on the charge point."),
    "serial_in_use": Words(
        "This serial belongs to another team.", "Check the label. If it is right, ask the operator to release it."
    ),
    "no_integration_configured": Words(
        "The operator has not set up a connection for this charge point.", "Ask the operator."
    ),
    "no_integration": Words(
        "This box cannot serve this type of connection ({integration}).",
        "Ask the operator.",
        "This box cannot serve this type of connection.",
    ),
    "pending": Words(
        "Waiting for the first contact. Enter this address in the charge point: {address}",
        "",
        "Waiting for the first contact.",
    ),
    "pending_boot": Words("It is calling and has not been accepted yet.", "It tries again by itself; wait a minute."),
    "pending_pairing_closed": Words(
        "It is calling, but this job lets in no new charge points at present.",
        "Press “Let new charge points connect” below.",
    ),
    "disconnected": Words(
        "Lost contact at {since}.", "Check power and network cable, then wait 2 minutes.", "Not in contact."
    ),
    "box_restarted": Words("The box was restarted; this charge point has not called back yet.", "Wait 2 minutes."),
    "connector_faulted": Words("{fault}"),
    "charging": Words("{charge}{power}{phases}."),
    "ready_to_test": Words("Ready to test. It goes live when the job is completed."),
    "available": Words("Ready."),
    "busy": Words("In use."),
    "busy-blocked": Words("Blocked by the charge point.", "Look for a key switch, lock or local setting."),
    "busy-charging": Words("Charging."),
    "busy-non-charging": Words("Car plugged in, not taking power."),
    "suspended_ev": Words("Car plugged in; the car takes no power at present."),
    "suspended_evse": Words("Car plugged in; the charge point gives no power at present."),
    "ev_connected": Words("Car plugged in and let in; charging has not begun yet."),
    "waiting_for_authorisation": Words("Car plugged in, waiting to be let in.", "Show a card, or press Start."),
    "busy-non-released": Words("Session ended.", "Unplug the cable."),
    "busy-reserved": Words("Reserved."),
    "busy-scheduled": Words("Waiting for its schedule."),
    "error": Words("The charge point reports a fault.", "Look at its display, then restart it."),
    "passive": Words("Not in use yet."),
    "maintenance": Words("The operator set maintenance. It will not charge."),
    "other": Words("Connected, but it has not reported its state yet."),
}

FAULTS: dict[str, Words] = {
    "unknown_identity": Words("Calling, but not in this job.", "If it belongs here, give it to its charge point."),
    "not_named": Words("Calling, but no open job on this box names it.", "Check the serial of its charge point."),
    "pairing_closed": Words(
        "Known to this job, but new charge points are not let in at present.",
        "Let new charge points connect, then wait a minute.",
    ),
    "duplicate_identity": Words(
        "Two charge points call themselves {identity}.",
        "One of them has the wrong identity: compare the labels.",
        "Two charge points use the same identity.",
    ),
    "identity_missing": Words(
        "It calls without an identity.", "Add its serial number to the end of the address: {address}",
        "It calls without an identity; add its serial number to the end of the address.",
    ),
    "identity_malformed": Words("Its identity has characters that cannot be used.", "Set its identity to the serial."),
    "unsupported_subprotocol": Words(
        "It asks for an OCPP version this box does not speak.", "Set the charge point to OCPP 1.6 (JSON)."
    ),
    "no_subprotocol": Words("It does not say which OCPP it speaks.", "Set the charge point to OCPP 1.6 (JSON)."),
    "serial_changed": Words(
        "Another charge point answers under this identity: serial {serial} instead of {before}.",
        "Was it exchanged? Then say so. Else find out which one is wrong.",
        "A charge point with another serial answers under this identity.",
    ),
    "boot_rejected": Words("It was turned away when it started up.", "Check its identity, then restart it."),
    "connector_not_present": Words(
        "It has {count} connector(s); there is no connector {connector}.",
        "Choose the right connector.",
        "It has no connector of that number.",
    ),
    "credentials_needed": Words(
        "It must sign in with a password and does not.",
        "Set the password the operator gave for it, or let it pair anew.",
    ),
    "wrong_key": Words("It reached the box with a wrong password.", "Set its password again, or let it pair anew."),
    "wrong_user": Words(
        "It signs in under another name than its identity.", "Set its user name to its identity, or let it differ."
    ),
    "profile_lowered": Words(
        "It connects less securely than before and is not let in.",
        "Set its security back to what it was, or let it pair anew.",
    ),
    "certificate_revoked": Words("It shows a certificate that was withdrawn.", "It needs a new certificate."),
    "certificate_of_another": Words(
        "It shows a certificate that names another charge point.", "Compare its serial with the certificate."
    ),
    "waiting_room_full": Words("Too many unknown charge points are calling.", "Name the ones that belong here."),
    "too_many_connections": Words("It opens too many connections.", "Restart the charge point."),
    "tls_failed": Words("A secure connection could not be made.", "Check its clock and its certificate setting."),
    "silent": Words("It stopped sending anything.", "Check power and network cable."),
    "superseded": Words("It connected again and this connection was let go."),
}  # fmt: skip

SECURITY: dict[str, Words] = {
    "no_password": Words("Connects without a password."),
    "key_offered": Words("A password of its own is on its way to it."),
    "key_accepted": Words(
        "It took a password of its own and must connect again with it.", "If it does not, restart it."
    ),
    "key_refused": Words("It did not take a password of its own ({word})."),
    "key_uncertain": Words("It may have taken a password of its own ({word}).", "Restart it; both are good for a day."),
    "key_proven": Words("It has a password of its own and did not show it lately."),
}

ACTION_REASONS: dict[str, Words] = {
    "job_not_open": Words("The job is no longer open."),
    "not_connected": Words("The charge point is not connected."),
    "connection_error": Words("The connection has an error; see the status."),
    "already_charging": Words("It is charging already."),
    "nothing_charging": Words("Nothing is charging."),
    "state_not_startable": Words("Its present state does not allow a start."),
    "unlock_not_supported": Words("This model has nothing to unlock.", "Pull the cable at the charge point."),
    "command_running": Words("Still working on it."),
}

OUTCOMES: dict[str, Words] = {
    "started": Words("Charging started at {at}.", "", "Charging started."),
    "stopped": Words("Charging stopped at {at}.", "", "Charging stopped."),
    "unlocked": Words("Unlocked at {at}.", "", "Unlocked."),
    "rebooted": Words("Back after {seconds}.", "", "It is back."),
    "refused": Words("The charge point refused; nothing changed.", "Look at its status and display, then try again."),
    "nothing_started": Words("Charging did not begin within 60 s.", "Is a car plugged in?"),
    "nothing_stopped": Words("The charge did not end within 60 s.", "Try again, or unplug at the car."),
    "unlock_failed": Words("It could not unlock.", "Take the strain off the cable and try again."),
    "unlock_while_charging": Words("It does not unlock while a car charges.", "Stop the charge first, then unlock."),
    "unknown_connector": Words("It does not know this connector.", "Check the Connector field of this row."),
    "not_supported": Words("This model cannot do that remotely.", "Do it at the charge point."),
    "unplug_first": Words(
        "It refused: the cable of the last charge is still plugged in.", "Pull the cable, plug it in again, then start."
    ),
    "stop_refused": Words(
        "It refused to stop; the charge goes on.", "Stop at the charge point or the car, or restart the charge point."
    ),
    "not_back": Words("It has not come back yet.", "Check its power; it appears here as soon as it calls."),
    "reboot_waits": Words("It restarts when the charge has ended.", "Stop the charge to let it restart now."),
    "call_error": Words(
        "It reported an error instead: {code}.", "Try again; if it stays, restart it.", "It reported an error instead."
    ),
    "offline": Words("It was not connected; nothing was sent.", "Wait until it is connected and try again."),
    "interrupted": Words("The box was restarted before the result was known.", "Look at the status, then try again."),
    "not_run": Words("The box could not carry this out.", "Try again; if it stays, tell the operator."),
    "link_lost": Words("The connection broke before the result was known.", "Wait until it is back, then look again."),
}

TROUBLES: dict[str, Words] = {
    "disk_full": Words(
        "The box's storage is full: nothing can be saved at present. What was saved is safe.",
        "Tell the operator. Charge points keep their messages and send them again.",
    ),
    "read_only": Words(
        "The box's storage takes nothing at present. What was saved is safe.",
        "Tell the operator. Charge points keep their messages and send them again.",
    ),
    "damaged": Words(
        "The box's storage is damaged: nothing can be saved at present.",
        "Tell the operator; nothing has been deleted.",
    ),
    "failed": Words("The box cannot save at present.", "Wait a minute; if it stays, tell the operator."),
    "certificate_expiring": Words(
        "A certificate of this box ends soon and could not be renewed.",
        "Tell the operator: encrypted connections will fail then.",
    ),
    "salvaged": Words(
        "The box's storage was damaged and has been repaired; something may be missing.",
        "Check the charge points, and tell the operator.",
    ),
}

OCPP_ERRORS: dict[str, str] = {
    "ConnectorLockFailure": "The plug could not be locked or unlocked.",
    "EVCommunicationError": "It cannot talk to the car.",
    "GroundFailure": "Earth fault reported.",
    "HighTemperature": "It is too hot inside.",
    "InternalError": "It reports an internal fault.",
    "LocalListConflict": "Its list of cards is inconsistent.",
    "NoError": "It reports a fault without saying which.",
    "OtherError": "It reports a fault of its maker's own kind.",
    "OverCurrentFailure": "Too much current: its protection tripped.",
    "OverVoltage": "The supply voltage is too high.",
    "PowerMeterFailure": "Its energy meter cannot be read.",
    "PowerSwitchFailure": "Its contactor failed.",
    "ReaderFailure": "Its card reader failed.",
    "ResetFailure": "It could not restart.",
    "UnderVoltage": "The supply voltage is too low.",
    "WeakSignal": "Its wireless signal is weak.",
}
"""OCPP 1.6 §7.6 ChargePointErrorCode."""

CORRECTIONS: dict[str, str] = {
    "binary": "binary frames read as text",
    "byte_order_mark": "byte order marks dropped",
    "clock_not_believed": "times not believed",
    "connection_header": "handshakes without “Connection: Upgrade” mended",
    "control_characters": "texts freed of control characters",
    "does_not_conform": "answers that do not follow the standard",
    "does_not_fit": "units corrected",
    "empty": "empty values left out",
    "ends_with_nul": "frames freed of a trailing NUL",
    "energy_jumped": "energy readings that rose faster than power allows",
    "energy_negative": "energy readings below zero",
    "energy_went_back": "energy readings lower than before",
    "epoch": "times given in seconds since 1970",
    "extra_elements": "frames with too many parts",
    "extra_property": "unknown fields passed over",
    "header": "handshakes with a wrong header mended",
    "identity_blanks_or_control_characters": "addresses with blanks or control characters",
    "identity_doubled": "addresses with the identity twice",
    "identity_missing": "addresses without an identity",
    "identity_too_long": "addresses with too long an identity",
    "key_header": "handshakes with several keys",
    "message_id_not_a_text": "message numbers that are no texts",
    "message_id_too_long": "message numbers that are too long",
    "message_type_not_a_number": "message types that are no numbers",
    "missing": "missing values filled in",
    "more": "of other kinds",
    "named_as_in_1.5": "fields named as in OCPP 1.5",
    "named_as_in_1.6": "fields named as in OCPP 1.6",
    "no_subprotocol": "connections that name no OCPP version",
    "no_vendor_or_model": "starts without vendor or model",
    "no_zone": "times without a time zone",
    "not_a_list": "single values taken for a list",
    "not_a_number": "values that are no numbers",
    "not_a_switch": "values that are neither yes nor no",
    "not_a_text": "values that are no texts",
    "not_a_time": "times that cannot be read",
    "not_a_whole_number": "numbers with needless decimals",
    "nameless": "parts of reports without a name",
    "not_an_object": "values of a wrong shape",
    "not_believed": "times not believed",
    "not_utf8": "texts in a wrong encoding",
    "number_for_switch": "numbers taken for yes or no",
    "number_for_text": "numbers taken for texts",
    "odd_case": "words in an odd spelling",
    "odd_subprotocol": "odd spellings of the OCPP version",
    "one_by_one": "orders sent to each connector",
    "out_of_range": "connector numbers that cannot be",
    "payload_missing": "messages without content",
    "scaled": "energy values multiplied",
    "set_to": "charging profiles adapted",
    "shaped_as_in_1.6": "messages shaped as in OCPP 1.6",
    "text_for_number": "texts taken for numbers",
    "text_for_switch": "texts taken for yes or no",
    "too_long": "texts cut",
    "too_many_samples": "messages with too many values",
    "unit_unknown": "units corrected",
    "unknown": "unknown words kept as they are",
    "unusual_form": "times in an unusual form",
    "upgrade_header": "handshakes without “Upgrade: websocket” mended",
    "version_header": "handshakes of another WebSocket version mended",
    "year_out_of_range": "times in another century",
}
"""What was put right of a charge point's messages, to stand behind a number; by the last part of its code."""

FLASHES: dict[str, Words] = {
    "saved": Words("Saved on the box."),
    "note_saved": Words("Note saved on the box."),
    "completed": Words("The job is completed."),
    "swapped": Words("The two were swapped."),
    "resolved": Words("The difference is settled."),
    "pairing_opened": Words("New charge points can connect for 30 minutes."),
    "pairing_anew": Words("It may connect within 30 minutes, whatever it shows."),
    "keys_sent": Words("Keys are on their way to the charge points that are connected."),
    "no_keys_sent": Words("No charge point is connected that could take a key."),
    "account_saved": Words("Saved."),
    "new_password": Words("The new password holds. Sign in with it."),
    "left": Words("This phone has left the job."),
    "opened": Words("The job is open."),
    "asked": Words("Asked. The file appears here."),
    "meter_added": Words("The meter is added. Its values appear within seconds."),
    "wiring_saved": Words("Saved. It stands in the report."),
    "meter_removed": Words("The meter is taken off the job."),
    "no_change": Words("Nothing to save."),
}

WORDS: dict[str, Words] = {
    **SECURITY,
    **ERRORS, **EXPLANATIONS, **FAULTS, **ACTION_REASONS, **OUTCOMES, **TROUBLES, **FLASHES,
    **{code: Words(*each) for code, each in (*TRANSFERS.items(), *CALLS.items(), *METERS.items())},
}  # fmt: skip

_TELLING_FIELDS = ("problem", "reason", "status")


def sentence(code: str, fields: Mapping[str, Any] | None = None) -> str:
    """What happened, for a person. `fields` may carry `now`, by which times of other days get their date."""
    shown = _Shown(_enriched(code, fields or {}))
    words = _words(code, shown.raw)
    said = _fill(words.says, shown)
    if said is None:
        said = _fill(words.bare or GENERIC.says, shown)
    return said or GENERIC.says


def next_step(code: str, fields: Mapping[str, Any] | None = None) -> str:
    """What to do about it; "" where nothing needs doing."""
    shown = _Shown(_enriched(code, fields or {}))
    return _fill(_words(code, shown.raw).do, shown) or ""


def step_for_program(code: str, fields: Mapping[str, Any]) -> str:
    """As `next_step`, for whoever sends requests and looks at no page. Codes in the fields read as words."""
    shown = _Shown({**fields, **{name: _plain(fields[name]) for name in ("problem", "what") if name in fields}})
    found = (_fill(step, shown) for step in PROGRAMS.get(code, ()))
    return next((step for step in found if step), None) or next_step(code, fields)


def _plain(code: Any) -> Any:
    return code.replace("_", " ") if isinstance(code, str) and code.isidentifier() else code


def full(code: str, fields: Mapping[str, Any] | None = None) -> str:
    """Sentence and next step, in that order."""
    return f"{sentence(code, fields)} {next_step(code, fields)}".strip()


def reason_against(code: str) -> str:
    """Why a remote action is disabled, short enough to stand at its button."""
    return sentence(code)


def trouble(code: str) -> str:
    """Why the box saves nothing at present, and what to do."""
    return full(code)


def local_time(at: datetime, now: datetime | None = None) -> str:
    """HH:MM in the box's own zone, with the date where `now` is another day."""
    local = at.astimezone()
    if now is None or local.date() == now.astimezone().date():
        return f"{local:%H:%M}"
    return f"{local.day} {local:%b %Y, %H:%M}"


def duration(seconds: float) -> str:
    """48 s, 1 min 48 s."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def power(power_w: float) -> str:
    """7.2 kW; below 100 W in watts."""
    return (f"{power_w / 1000:.1f} kW" if abs(power_w) >= 100 else f"{power_w:.0f} W").replace("-", "−")


def energy(energy_wh: float) -> str:
    """0.42 kWh; below 10 Wh in Wh."""
    return f"{energy_wh / 1000:.2f} kWh" if abs(energy_wh) >= 10 else f"{energy_wh:.0f} Wh"


def correction(kind: str, count: int) -> str:
    """“214 units corrected (MeterValues, unit)”. `kind` is an action and a code, e.g. "MeterValues unit:unknown"."""
    action, _, code = kind.partition(" ")
    if not code:
        action, code = "", action
    return f"{count:,} {CORRECTIONS[correction_key(code)]}{_where(action, code)}"


def correction_key(code: str) -> str:
    """Under which of CORRECTIONS a code stands."""
    field, _, what = code.partition(":")
    if not what:
        field, what = "", field
    for key in (f"{field}_{what}", what, field):
        if key in CORRECTIONS:
            return key
    if what.endswith("_header"):
        return "header"
    return next((key for key in ("does_not_fit", "set_to") if what.startswith(key)), "not_an_object")


def _where(action: str, code: str) -> str:
    field, _, what = code.partition(":")
    if field == "extra_property":
        field = f"“{what}”"
    names = [name for name in (action, field if what else "") if name and name not in ("frame", "handshake")]
    return f" ({', '.join(names)})" if names else ""


def clock_off(seconds: float) -> str | None:
    """None while the clock is as right as can be told."""
    if abs(seconds) < CLOCK_OFF_FROM_S:
        return None
    minutes = round(abs(seconds) / 60)
    hours, rest = divmod(minutes, 60)
    span = f"{minutes} min" if not hours else f"{hours} h" if not rest else f"{hours} h {rest} min"
    return f"Its clock is {span} {'ahead' if seconds > 0 else 'behind'}."


CLOCK_OFF_FROM_S = 90


def size(size_bytes: int | None) -> str:
    """12.4 MB; small ones in kB or bytes."""
    if size_bytes is None:
        return ""
    if size_bytes < 1000:
        return f"{size_bytes} bytes"
    return f"{size_bytes / 1_000_000:.1f} MB" if size_bytes >= 1_000_000 else f"{size_bytes / 1000:.1f} kB"


def ocpp_error(error_code: str | None) -> str:
    """An OCPP 1.6 error code in words."""
    return OCPP_ERRORS.get(error_code or "NoError", "It reports a fault this box has no words for.")


class _Shown:
    """Field values as they read in a sentence."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw

    def __getitem__(self, name: str) -> str:
        value = self.raw[name]
        if value is None:
            raise KeyError(name)
        if name in ("at", "since") and isinstance(value, str):
            value = _moment(value)
        if isinstance(value, datetime):
            return local_time(value, self.raw.get("now"))
        if name == "seconds" and isinstance(value, (int, float)):
            return duration(value)
        return str(value)


def _moment(text: str) -> datetime | str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment if moment.tzinfo else text


def _words(code: str, fields: Mapping[str, Any]) -> Words:
    if code == "action_unavailable" and fields.get("reason") in WORDS:
        return WORDS[str(fields["reason"])]
    for field in _TELLING_FIELDS:
        found = WORDS.get(f"{code}.{fields.get(field)}")
        if found is not None:
            return found
    return WORDS.get(code, GENERIC)


def _fill(template: str, shown: _Shown) -> str | None:
    try:
        return template.format_map(shown)
    except (KeyError, IndexError):
        return None


def _enriched(code: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields some sentences are built from that are not said as they come."""
    if code == "connector_faulted":
        words = ocpp_error(fields.get("error_code"))
        details = [str(fields[name]) for name in ("info", "vendor_error_code") if fields.get(name)]
        return {**fields, "fault": f"{words} ({', '.join(details)})" if details else words}
    if code == "charging":
        power_w, phases = fields.get("power_w"), fields.get("phases") or ()
        return {
            **fields,
            "charge": "Test charge" if fields.get("test") else "Charging",
            "power": f", {power(power_w)}" if isinstance(power_w, (int, float)) else "",
            "phases": f" on {' '.join(phases)}" if phases and power_w else "",
        }
    return fields
