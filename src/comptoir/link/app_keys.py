"""Calls that need the app's own keys: the secret in use first, then the one that waits ahead of a change.

Which of them the upstream takes is learnt by using them, and nowhere else: the second takes the first one's place when
it worked where the first did not; when none is taken there is one alarm for the integration, which ends by itself.
"""

from __future__ import annotations

from collections.abc import Callable

from comptoir.errors import SetupRequired
from comptoir.integrations.contract import Integration
from comptoir.link.endpoint import GrantRefused, WrongPair
from comptoir.store import Database, TenantId, Vault, holds, integration_settings

__all__ = ["AppKeys"]


class AppKeys:
    """The stored keys of any tenant, for use and never for show."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db, self._vault = db, vault

    def use(self, tenant: TenantId, integration: Integration, call: Callable[[str, str], bytes]) -> bytes:
        """What `call(client_id, secret)` answers with the first secret that the upstream takes.

        OnHold while the tenant may ask nothing of an upstream; SetupRequired when there are no keys or none is taken;
        whatever else `call` raises passes through.
        """
        key = integration.key
        holds.refuse(self._db, tenant)
        with self._db.read() as tx:
            settings = integration_settings.get(tx, tenant, key)
            secrets = integration_settings.secrets(tx, tenant, key, self._vault)
        assert settings is not None  # secrets would have raised
        for number, secret in enumerate(secrets):
            try:
                answer = call(settings.client_id, secret)
            except WrongPair:
                continue
            except GrantRefused:
                self._taken(tenant, key, secret, is_second=bool(number), was_alarmed=settings.alarm is not None)
                raise
            self._taken(tenant, key, secret, is_second=bool(number), was_alarmed=settings.alarm is not None)
            return answer
        message = (
            f"{integration.name} refuses the app's own keys, so no company can be read. Save the right Client ID and "
            "Client secret under Settings > Integrations > Accounting; everything goes on by itself then."
        )
        with self._db.write() as tx:
            # Keys that were saved this very moment are not at fault.
            if integration_settings.secrets(tx, tenant, key, self._vault) == secrets:
                integration_settings.set_alarm(tx, tenant, key, message)
        raise SetupRequired(message)

    def _taken(self, tenant: TenantId, key: str, secret: str, *, is_second: bool, was_alarmed: bool) -> None:
        if not is_second and not was_alarmed:
            return
        with self._db.write() as tx:
            first, *others = integration_settings.secrets(tx, tenant, key, self._vault)
            if is_second and others == [secret]:
                integration_settings.promote_second(tx, tenant, key, self._vault)
            if secret in (first, *others):
                integration_settings.set_alarm(tx, tenant, key, None)
