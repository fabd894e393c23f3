"""The pages people see: the operator's portal and the customer's Link pages. Programs use the API."""

from comptoir.portal.failures import error_response
from comptoir.portal.observed import observed
from comptoir.portal.routes import listed, routes
from comptoir.portal.services import PortalServices

__all__ = ["PortalServices", "error_response", "listed", "observed", "routes"]
