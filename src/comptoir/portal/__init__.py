"""The pages people see: the operator's portal and the customer's Link pages. Programs use the API."""

from comptoir.portal.failures import error_response
from comptoir.portal.health import router as health_router
from comptoir.portal.observed import observed
from comptoir.portal.routes import listed, routes
from comptoir.portal.services import PortalServices

__all__ = ["PortalServices", "error_response", "health_router", "listed", "observed", "routes"]
