"""The books of one transaction: see `fleet.ports.Books`. An area more is an attribute more."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cloud_relay.store import schema as t
from cloud_relay.store.accounts import SqlAccounts
from cloud_relay.store.alerts import SqlAlerts, SqlLeases
from cloud_relay.store.announced import SqlAnnouncements
from cloud_relay.store.api_tokens import SqlApiTokens
from cloud_relay.store.audit import SqlAuditLog
from cloud_relay.store.box_links import SqlBoxLinks
from cloud_relay.store.identities import SqlIdentities
from cloud_relay.store.kept_answers import SqlKeptAnswers
from cloud_relay.store.people import SqlInvitations, SqlMails, SqlRecoveryCodes, SqlResets
from cloud_relay.store.sessions import SqlSessions
from cloud_relay.store.site_logs import SqlSiteLogs
from cloud_relay.store.sites import SqlSites
from cloud_relay.store.statements import upsert
from cloud_relay.store.webhooks import SqlWebhooks


class SqlBooks:
    """See `Books`."""

    def __init__(self, connection: Connection) -> None:
        self.accounts = SqlAccounts(connection)
        self.tokens = SqlApiTokens(connection)
        self.sessions = SqlSessions(connection)
        self.invitations = SqlInvitations(connection)
        self.resets = SqlResets(connection)
        self.recovery = SqlRecoveryCodes(connection)
        self.mails = SqlMails(connection)
        self.announced = SqlAnnouncements(connection)
        self.kept_answers = SqlKeptAnswers(connection)
        self.sites = SqlSites(connection)
        self.audit = SqlAuditLog(connection)
        self.secrets = SqlSecrets(connection)
        self.logs = SqlSiteLogs(connection)
        self.links = SqlBoxLinks(connection)
        self.identities = SqlIdentities(connection)
        self.alerts = SqlAlerts(connection)
        self.leases = SqlLeases(connection)
        self.webhooks = SqlWebhooks(connection)


class SqlSecrets:
    """See `Secrets`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, name: str) -> str | None:
        query = sa.select(t.kept_secret.c.value).where(t.kept_secret.c.name == name)
        return self._connection.execute(query).scalar()

    def put(self, name: str, value: str) -> None:
        upsert(self._connection, t.kept_secret, ["name"], [{"name": name, "value": value}])
