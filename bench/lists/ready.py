"""Prints a new API key of the installation that the environment names, and links its company: the stub takes any token.

python ready.py
"""

from datetime import timedelta

import sqlalchemy as sa

from comptoir.app import Application
from comptoir.settings import read
from comptoir.store import grants, integration_settings
from comptoir.store.tables import CONNECTIONS

application = Application(read())
now = application._clock.now()
vault = application._vault
with application.db.write() as tx:
    tenant, connection, integration = tx.execute(
        sa.select(CONNECTIONS.c.tenant_id, CONNECTIONS.c.id, CONNECTIONS.c.integration_key)
    ).one()
    keys = {"client_id": "bench", "client_secret": "bench"}
    integration_settings.save_keys(tx, tenant, integration, **keys, vault=vault, now=now)
    integration_settings.set_enabled(tx, tenant, integration, enabled=True)
    tokens = {"access_token": "stub", "refresh_token": "stub"}
    grants.put(tx, tenant, connection, vault, **tokens, expires_at=now + timedelta(days=1), now=now)
print(application.new_api_key("bench"))
application.db.close()
