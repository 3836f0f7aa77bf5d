"""What outlives a request: tasks that wait in the database, and the jobs that clients watch."""

from energia.unneeded import import_but

# Before any module of ours imports it: its own connectors are made with psycopg, which is large.
_CONNECTORS = {
    "PsycopgConnector": "psycopg_connector",
    "SyncPsycopgConnector": "sync_psycopg_connector",
}
import_but("procrastinate", _CONNECTORS)
