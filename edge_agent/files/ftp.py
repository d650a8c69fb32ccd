"""The FTP server for uploads: listening only while one is expected, in a thread of its own.

Every way has its own user and password, good for one STOR; whatever path or name is given, the file goes to the way's
sink. Nothing can be listed, read, changed or deleted. With a certificate AUTH TLS is offered, and a way by ftps takes
nothing without it. The protocol itself is pyftpdlib's. Source: SECURITY §7.1. Start at `FtpServer.start`.
"""

import hmac
import logging
import socket
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from OpenSSL import SSL

from edge_agent.files.settings import Certificate, FtpSettings
from edge_agent.files.uploads import Sink, UploadRefused, Uploads, Way
from sitelink.states import TransferMethod

with warnings.catch_warnings():
    # Its foundation is asyncore, which Python 3.11 has and disapproves of; later Pythons get it from a package.
    warnings.simplefilter("ignore", DeprecationWarning)
    from pyftpdlib.authorizers import AuthenticationFailed
    from pyftpdlib.filesystems import AbstractedFS, FilesystemError
    from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_DTPHandler, TLS_FTPHandler
    from pyftpdlib.ioloop import IOLoop
    from pyftpdlib.servers import FTPServer

log = structlog.get_logger()

TURN_S = 0.25
"""How long the thread waits for sockets before it looks whether it is to stop."""
CONNECTIONS_MAX = 32
CONNECTIONS_OF_ONE_MAX = 8
IDLE_S = 120
_METHODS = (TransferMethod.FTP, TransferMethod.FTPS)
_SAYS = {
    "taken": "550 This file is here already.",
    "too_large": "552 Too large.",
    "too_slow": "426 Too slow.",
    "no_room": "452 No room.",
    "over": "550 No longer expected.",
}
_OTHERWISE = "451 Could not be written."


class FtpCannotListen(Exception):
    """The port is taken or not allowed."""


class FtpServer:
    """Off until `start`."""

    def __init__(
        self, uploads: Uploads, settings: FtpSettings, certificate: Callable[[], Certificate | None] = lambda: None
    ) -> None:
        self._uploads = uploads
        self._settings = settings
        self._certificate = certificate
        self._server: Any = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    @property
    def port(self) -> int | None:
        """None while it does not listen."""
        return int(self._server.address[1]) if self._server is not None else None

    def start(self) -> int:
        """Listen, unless it does already; the port. Raises FtpCannotListen."""
        if self._server is None:
            _quiet()
            loop = IOLoop.factory()
            try:
                server = FTPServer((self._settings.bind, self._settings.port), self._handler(), ioloop=loop)
            except OSError as error:
                loop.close()
                raise FtpCannotListen(f"files.ftp_port {self._settings.port}: {error.strerror}") from error
            server.max_cons, server.max_cons_per_ip = CONNECTIONS_MAX, CONNECTIONS_OF_ONE_MAX
            self._server, self._stop = server, threading.Event()
            self._thread = threading.Thread(target=self._serve, args=(server, self._stop), name="ftp", daemon=True)
            self._thread.start()
            log.info("ftp_listening", port=self.port)
        return self.port or 0

    def stop(self) -> None:
        """Every connection ends; waits for the thread."""
        thread, self._thread, self._server = self._thread, None, None
        self._stop.set()
        if thread is not None:
            thread.join()
            log.info("ftp_off")

    @staticmethod
    def _serve(server: Any, stop: threading.Event) -> None:
        try:
            while not stop.is_set():
                server.ioloop.loop(timeout=TURN_S, blocking=False)
        except Exception:
            log.exception("ftp_server_failed")
        finally:
            server.close_all()

    def _handler(self) -> Any:
        """A handler class of this server; pyftpdlib keeps a server's settings in its class."""
        certificate, settings, window_s = self._certificate(), self._settings, self._uploads.limits.window_s
        data = type("Data", (_Data, TLS_DTPHandler if certificate else DTPHandler), {"timeout": window_s})
        of = {
            "authorizer": _OneFileEach(self._uploads), "dtp_handler": data, "abstracted_fs": _NoFiles,
            "banner": "ready", "timeout": IDLE_S, "use_sendfile": False,
            "passive_ports": list(settings.passive) or None, "masquerade_address": settings.masquerade,
            "uploads": self._uploads, "auth_failed_timeout": settings.after_wrong_password_s,
        }  # fmt: skip
        if certificate is None:
            return type("Control", (_Control, FTPHandler), of)
        return type("SecureControl", (_SecureControl, TLS_FTPHandler), {**of, "ssl_context": _context(certificate)})


def _context(certificate: Certificate) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
    context.use_certificate_chain_file(str(certificate.chain))
    context.use_privatekey_file(str(certificate.key))
    return context


class _Incoming:
    """A sink as the library's file object. `whole` is set by the data connection before it closes."""

    name = "upload"

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.whole = False
        self.why = "cut_off"

    @property
    def closed(self) -> bool:
        return self.sink.ended

    def write(self, chunk: bytes) -> None:
        self.sink.write(chunk)

    def close(self) -> None:
        if self.whole:
            self.sink.finish()
        else:
            self.sink.break_off(self.why)


class _Data:
    """The data connection: bytes as they come, whatever TYPE says, and 226 only for what is on disk."""

    file_obj: Any
    transfer_finished: bool
    socket: Any
    broken = False
    _resp: tuple[Any, ...]

    def enable_receiving(self, _type: str, cmd: str) -> None:
        super().enable_receiving("i", cmd)  # type: ignore[misc]

    def recv(self, buffer_size: int) -> bytes:
        """A reset is no end of file, though the library takes it for one."""
        with suppress(BlockingIOError):
            try:
                if isinstance(self.socket, socket.socket):
                    self.socket.recv(1, socket.MSG_PEEK)
            except OSError:
                self.broken = True
                raise
        received: bytes = super().recv(buffer_size)  # type: ignore[misc]
        return received

    def handle_timeout(self) -> None:
        if isinstance(self.file_obj, _Incoming):
            self.file_obj.why = "too_slow"
        super().handle_timeout()  # type: ignore[misc]

    def handle_error(self) -> None:
        if isinstance(self.file_obj, _Incoming) and self.file_obj.sink.problem:
            self._resp = (_SAYS.get(self.file_obj.sink.problem, _OTHERWISE), logging.getLogger("pyftpdlib").debug)
            self.close()
        else:
            super().handle_error()  # type: ignore[misc]

    def close(self) -> None:
        incoming = self.file_obj
        if isinstance(incoming, _Incoming) and not incoming.closed:
            incoming.whole = self.transfer_finished = self.transfer_finished and not self.broken
            try:
                incoming.close()
            except UploadRefused as refusal:
                self.transfer_finished = False
                self._resp = (_SAYS.get(refusal.problem, _OTHERWISE), logging.getLogger("pyftpdlib").debug)
        super().close()  # type: ignore[misc]


class _Control:
    """The control connection of one user, who is one way."""

    uploads: Uploads
    username: str

    @property
    def way(self) -> Way | None:
        return self.uploads.find(self.username, *_METHODS)

    def ftp_STOU(self, line: str) -> Any:  # noqa: N802 -- the library's name
        return self.ftp_STOR(line)  # type: ignore[attr-defined]


class _SecureControl(_Control):
    _prot: bool

    def process_command(self, cmd: str, *args: Any, **kwargs: Any) -> None:
        """A way by ftps: no password and no data before TLS."""
        if cmd == "PASS" and self._wants_tls() and not self._ssl_established:  # type: ignore[attr-defined]
            self.respond("530 TLS is needed: AUTH TLS first.")  # type: ignore[attr-defined]
        elif cmd in ("PASV", "EPSV", "PORT", "EPRT") and self._wants_tls() and not self._prot:
            self.respond("521 TLS is needed: PROT P first.")  # type: ignore[attr-defined]
        else:
            super().process_command(cmd, *args, **kwargs)  # type: ignore[misc]

    def _wants_tls(self) -> bool:
        way = self.way
        return way is not None and way.method is TransferMethod.FTPS


class _OneFileEach:
    """Who may do what: the user of a way may change folder, which means nothing, and store."""

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads

    def validate_authentication(self, username: str, password: str, _handler: Any) -> None:
        way = self._uploads.find(username, *_METHODS)
        expected = way.password if way is not None else ""
        matches = hmac.compare_digest(expected.encode(), password.encode("utf-8", "surrogatepass"))
        if way is None or not matches:
            raise AuthenticationFailed("Not expected here.")

    def has_user(self, username: str) -> bool:
        return self._uploads.find(username, *_METHODS) is not None

    def has_perm(self, _username: str, perm: str, _path: str | None = None) -> bool:
        return perm in "ew"

    def get_perms(self, _username: str) -> str:
        return "ew"

    def get_home_dir(self, _username: str) -> str:
        return "/"

    def get_msg_login(self, _username: str) -> str:
        return "Send the file."

    def get_msg_quit(self, _username: str) -> str:
        return "Goodbye."

    def impersonate_user(self, _username: str, _password: str) -> None:
        return

    def terminate_impersonation(self, _username: str) -> None:
        return


class _NoFiles(AbstractedFS):
    """A file system without files: every folder can be entered, and a file that is opened is the way's sink."""

    def ftp2fs(self, ftppath: str) -> str:
        return str(self.ftpnorm(ftppath))

    def fs2ftp(self, fspath: str) -> str:
        return fspath

    def validpath(self, _path: str) -> bool:
        return True

    def realpath(self, path: str) -> str:
        return path

    def chdir(self, path: str) -> None:
        self.cwd = path

    def open(self, _filename: str, mode: str) -> _Incoming:
        way = self.cmd_channel.way
        if mode != "wb" or way is None:
            raise FilesystemError("Not possible here")
        try:
            return _Incoming(self.cmd_channel.uploads.open(way))
        except UploadRefused as refusal:
            raise FilesystemError(refusal.problem.replace("_", " ")) from refusal


def _nothing_here(*_args: Any, **_kwargs: Any) -> Any:
    raise FilesystemError("Not possible here")


for _name in (
    "mkstemp", "mkdir", "listdir", "listdirinfo", "rmdir", "remove", "rename", "chmod", "stat", "utime", "lstat",
    "readlink", "isfile", "islink", "isdir", "getsize", "getmtime", "lexists", "format_list", "format_mlsx",
):  # fmt: skip
    setattr(_NoFiles, _name, _nothing_here)


class _ToOurLog(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        with suppress(Exception):
            log.error("ftp_fault", problem=record.getMessage()[-500:])


def _quiet() -> None:
    """The library's log names users and peers line by line: only its faults come through."""
    logger = logging.getLogger("pyftpdlib")
    logger.propagate = False
    logger.setLevel(logging.ERROR)
    if not logger.handlers:
        logger.addHandler(_ToOurLog())
