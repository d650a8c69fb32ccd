"""The errors a caller can meet, each with a stable code for wire, log and page, and fields instead of prose.

Pure. `web_ui.wording` turns every code into a sentence and the next step; a house test fails when one has no words.
`http_status` says with which HTTP status a code travels.
"""

from typing import ClassVar


class SiteError(Exception):
    """Something asked for cannot be done. `code` names it, `fields` say about what."""

    code: ClassVar[str] = "site_error"
    http_status: ClassVar[int] = 400

    def __init__(self, **fields: object) -> None:
        super().__init__(self.code, fields)
        self.fields = fields

    def __str__(self) -> str:
        return f"{self.code} {self.fields}" if self.fields else self.code


class IdentityInvalid(SiteError):
    """fields: problem ("too_long" | "character"), found, allowed."""

    code = "identity_invalid"
    http_status = 422


class IdentityInUse(SiteError):
    """Identity and connector stand in another row. fields: charge_point (row id), name, identity, connector."""

    code = "identity_in_use"
    http_status = 409


class ConnectorInvalid(SiteError):
    """fields: found, allowed."""

    code = "connector_invalid"
    http_status = 422


class ChargeActive(SiteError):
    """Not while a charge runs. fields: name."""

    code = "charge_active"
    http_status = 409


class JobReadOnly(SiteError):
    """The job is no longer open. fields: status."""

    code = "job_read_only"
    http_status = 409


class MeterInvalid(SiteError):
    """A field of a meter cannot be so. fields: where, allowed."""

    code = "meter_invalid"
    http_status = 422


class MeterExists(SiteError):
    """The job has a meter of this name. fields: name."""

    code = "meter_exists"
    http_status = 409


class MeterNotRead(SiteError):
    """The meter says nothing at present, or not here. fields: name."""

    code = "meter_not_read_now"
    http_status = 409


class AlreadyCompleted(SiteError):
    """fields: at (ISO time), by (name or null)."""

    code = "already_completed"
    http_status = 409


class JobNotCompleted(SiteError):
    """fields: status."""

    code = "job_not_completed"
    http_status = 409


class JobExists(SiteError):
    """fields: number."""

    code = "job_exists"
    http_status = 409


class JobFileInvalid(SiteError):
    """fields: where (path inside the file), problem."""

    code = "job_file_invalid"
    http_status = 422


class NameTaken(SiteError):
    """fields: what, name."""

    code = "name_taken"
    http_status = 409


class BackupRefused(SiteError):
    """fields: file, problem ("not_a_backup" | "other_version" | "not_empty"), found, needed."""

    code = "backup_refused"
    http_status = 409


class NotFound(SiteError):
    """fields: what, key."""

    code = "not_found"
    http_status = 404


class ActionUnavailable(SiteError):
    """A remote action that is disabled right now. fields: action, reason (a code of sitelink.actions)."""

    code = "action_unavailable"
    http_status = 409


class ConfirmationNeeded(SiteError):
    """A car is charging; say `confirm` to go on. fields: action."""

    code = "confirmation_needed"
    http_status = 409


class NoteInvalid(SiteError):
    """fields: problem ("empty" | "too_long" | "too_many"), allowed."""

    code = "note_invalid"
    http_status = 422


class RequestInvalid(SiteError):
    """A body or field of the wrong shape. fields: where, problem."""

    code = "request_invalid"
    http_status = 400


class LinkUnknown(SiteError):
    code = "link_unknown"
    http_status = 404


class LinkEnded(SiteError):
    """A link that was valid once. fields: number, status, at."""

    code = "link_ended"
    http_status = 410


class SignInNeeded(SiteError):
    """fields: reason (admin_token, api_token, console) where no link would do, but a token of the box or of a team, or
    signing in."""

    code = "sign_in_needed"
    http_status = 401


class SignInRefused(SiteError):
    """Address and password do not go together, or the present password is not the one that was typed."""

    code = "sign_in_refused"
    http_status = 401


class ProviderRefused(SiteError):
    """Signing in with another provider came to nothing. fields: reason."""

    code = "provider_refused"
    http_status = 401


class PasswordWrong(SiteError):
    """Asked once more for their own password, somebody typed another."""

    code = "password_wrong"
    http_status = 401


class CodeRefused(SiteError):
    """A code of the second factor that is wrong, too old, or was used."""

    code = "code_refused"
    http_status = 401


class InvitationEnded(SiteError):
    """A link into a team, or to a new password, that is none, was used, or is too old."""

    code = "invitation_ended"
    http_status = 410


class LastAdministrator(SiteError):
    """A team keeps at least one administrator. fields: name."""

    code = "last_administrator"
    http_status = 409


class RowsInvalid(SiteError):
    """Pasted charge points that cannot be. fields: line (from 1), column, problem."""

    code = "rows_invalid"
    http_status = 422


class PermissionMissing(SiteError):
    """A person's role in the team does not allow it. fields: right, role."""

    code = "permission_missing"
    http_status = 403


class ScopeMissing(SiteError):
    """The token of a program is not good for this. fields: scope."""

    code = "scope_missing"
    http_status = 403


class ForgeryRefused(SiteError):
    """The request did not come from our own page (CSRF field, Sec-Fetch-Site, Origin)."""

    code = "forgery_refused"
    http_status = 403


class HostRefused(SiteError):
    """The Host header names somebody else (DNS rebinding). fields: host."""

    code = "host_refused"
    http_status = 421


class TooMany(SiteError):
    """fields: retry_after_s."""

    code = "too_many"
    http_status = 429


class KeyReused(SiteError):
    """A program sent something else under a key it used for another request before."""

    code = "idempotency_key_reused"
    http_status = 422


class KeyBusy(SiteError):
    """What was asked under this key first has no answer. fields: problem ("in_progress", with retry_after_s |
    "broke_off": nobody knows what became of it).
    """

    code = "idempotency_key_busy"
    http_status = 409


class SerialNotHeld(SiteError):
    """A team can only give up a serial it has, and take back one it gave up. fields: name, serial, team."""

    code = "serial_not_held"
    http_status = 409


class IdTokenInvalid(SiteError):
    """fields: where (token, status, …), problem ("empty" | "too_long" | "character" | …), allowed."""

    code = "id_token_invalid"
    http_status = 422


class IdTokenListInvalid(SiteError):
    """A table of id tokens; nothing of it was taken. fields: lines [{line, where, problem, allowed}], count."""

    code = "id_token_list_invalid"
    http_status = 422


class SettingInvalid(SiteError):
    """fields: key, problem ("unknown" | "not_allowed"), found, allowed."""

    code = "setting_invalid"
    http_status = 422


class StoreUnavailable(SiteError):
    """The disk would not take it; nothing was changed. fields: reason ("disk_full", "read_only", "damaged", …)."""

    code = "store_unavailable"
    http_status = 503


class StationOffline(SiteError):
    """fields: identity."""

    code = "station_offline"
    http_status = 409


class ClaimInvalid(SiteError):
    """A box came with a claim code that is not good. fields: problem ("unknown" | "expired" | "used" | "key").

    Or somebody typed a box's code that is not good: "code_unknown", "code_used".
    """

    code = "claim_invalid"
    http_status = 403


class CloudLeft(SiteError):
    """Of enrolling and leaving. fields: problem ("confirm" | "not_enrolled" | "enrolled" | "no_agent" |
    "no_cloud"), site, unsent.
    """

    code = "cloud_left"
    http_status = 409


class RelayRefused(SiteError):
    """The cloud does not take this box. fields: code, the cloud's or one of `edge_agent.relay.verdicts`."""

    code = "relay_refused"
    http_status = 409


class OrderExpired(SiteError):
    """An order came too late to be done. fields: after_ms."""

    code = "order_expired"
    http_status = 409


class OrderUnknown(SiteError):
    """This version of the box knows no such order. fields: action."""

    code = "order_unknown"
    http_status = 501


class GatewayBusy(SiteError):
    """A box cannot be replaced or released as it stands. fields: problem ("replaced" | "revoked" | "not_enrolled" |
    "not_quarantined" | "boot"), allowed.
    """

    code = "gateway_busy"
    http_status = 409


class GatewayOffline(SiteError):
    """The site's box is not connected to the cloud; nothing was sent. fields: since (None: never was), name."""

    code = "gateway_offline"
    http_status = 409


class NoAnswer(SiteError):
    """The station took the call and did not answer in time. fields: identity, action, after_s."""

    code = "no_answer"
    http_status = 504


class CallRefused(SiteError):
    """The station answered our call with a CALLERROR. fields: identity, action, error_code, description."""

    code = "call_refused"
    http_status = 502


class CallInvalid(SiteError):
    """Our own call does not fit the schema of the station's version. fields: action, where, problem."""

    code = "call_invalid"
    http_status = 422


class PasswordInvalid(SiteError):
    """fields: allowed."""

    code = "password_invalid"
    http_status = 422


class CertificateInvalid(SiteError):
    """fields: problem ("too_long" | "unreadable" | "weak_key" | "other_key" | "other_name" | …), allowed."""

    code = "certificate_invalid"
    http_status = 422


class KeyUnderway(SiteError):
    """A key is on its way to this station already. fields: identity."""

    code = "key_underway"
    http_status = 409


class LinkReadOnly(SiteError):
    """A link that may look and not change anything."""

    code = "link_read_only"
    http_status = 403


class MethodNotAllowed(SiteError):
    """fields: method, allowed."""

    code = "method_not_allowed"
    http_status = 405


class TooLarge(SiteError):
    """fields: allowed_bytes."""

    code = "too_large"
    http_status = 413


class MediaTypeRefused(SiteError):
    """A body of another content type than the route takes. fields: found, allowed."""

    code = "media_type_refused"
    http_status = 415


class TookTooLong(SiteError):
    """The request was given up; what it asked for may still happen. fields: after_s."""

    code = "took_too_long"
    http_status = 503


class FileRefused(SiteError):
    """A file cannot be written or read on the box.

    fields: path, problem ("exists" | "no_folder" | "not_writable" | "not_readable").
    """

    code = "file_refused"
    http_status = 409


class TransferRunning(SiteError):
    """The charge point already has one of this kind under way. fields: kind, transfer."""

    code = "transfer_running"
    http_status = 409


class TransferUnavailable(SiteError):
    """Such a file cannot go over now. fields: reason ("method" | "firmware_by_ftp" | "ftp_port" | "box_offline")."""

    code = "transfer_unavailable"
    http_status = 409


class FirmwareUnsigned(SiteError):
    """The image has no signature; say `unsigned` to install it all the same. fields: name."""

    code = "firmware_unsigned"
    http_status = 409


class FirmwareInvalid(SiteError):
    """problem: empty, too_large, no_room, not_written, not_allowed, half_signed, no_file. fields: problem, allowed."""

    code = "firmware_invalid"
    http_status = 422


class FileGone(SiteError):
    """A file that made room for others, or never came. fields: transfer."""

    code = "file_gone"
    http_status = 410


class ServerFault(SiteError):
    """A bug on our side. Nothing was lost. fields: ref (the short code it stands under in the log)."""

    code = "server_fault"
    http_status = 500


def error_of(code: str, fields: dict[str, object]) -> SiteError:
    """The error that another program answered with; one this version does not know is a plain SiteError."""
    kinds = {each.code: each for each in SiteError.__subclasses__()}
    return kinds.get(code, SiteError)(**fields)
