"""Settings, read once from the environment and `comptoir.toml`, checked, and frozen.

The environment wins over the file. Names are `COMPTOIR_<NAME>`; those of an integration start with its slug, such as
`COMPTOIR_FREEAGENT_URL`. Lower floors never see this module: `app.py` hands each the part it needs.
"""

from __future__ import annotations

import os
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from comptoir.errors import InvalidInput
from comptoir.integrations import INTEGRATIONS
from comptoir.integrations.contract import Integration
from comptoir.upstream import Bounds

__all__ = ["Limits", "OidcSettings", "Settings", "UpstreamSettings", "names", "read"]

Limit = tuple[int, int]
_FILE = "comptoir.toml"
_PREFIX = "COMPTOIR_"
# A name, an IPv4 or an IPv6 address; no user, no escapes, and no letter that a client would fold into another.
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]+\]")
_FULL_STOPS = str.maketrans({"\N{IDEOGRAPHIC FULL STOP}": ".", "\\": "/"})
_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.IGNORECASE)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Calls allowed in windows aligned to the clock, each (calls, seconds); None where there is no limit."""

    calls: tuple[Limit, ...] | None
    refreshes: Limit | None
    address: Limit | None


class UpstreamSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where one integration's upstream is, and how much of it may be used."""

    origin: str
    developer_url: str
    authorise_url: str
    token_url: str
    limits: Limits


class OidcSettings(msgspec.Struct, frozen=True, kw_only=True):
    """An OpenID Connect provider that operators may sign in at, and this installation as its client."""

    issuer: str
    client_id: str
    client_secret: str


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an installation can be told. `public_url` has no trailing slash."""

    data_dir: Path
    database_url: str
    host: str
    port: int
    public_url: str
    base_domain: str | None
    master_key: str | None
    time_scale: float
    lease_seconds: float
    log_format: str
    log_level: str
    metrics_port: int | None
    metrics_token: str | None
    failpoints: str | None
    bounds: Bounds
    oidc: OidcSettings | None
    api_limits: tuple[Limit | None, Limit | None, Limit | None]
    upstreams: Mapping[str, UpstreamSettings]

    @property
    def is_on_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def api_url(self) -> str:
        return f"https://api.{self.base_domain}" if self.base_domain else f"{self.public_url}/api"

    @property
    def portal_url(self) -> str:
        return f"https://app.{self.base_domain}" if self.base_domain else self.public_url

    @property
    def link_url(self) -> str:
        return f"https://link.{self.base_domain}" if self.base_domain else f"{self.public_url}/link"

    def redirect_uri(self, integration: Integration) -> str:
        """The exact address to register as OAuth redirect address with the integration."""
        if self.base_domain:
            return f"https://{integration.slug}.{self.base_domain}/oauth/callback"
        return f"{self.public_url}/oauth/callback"


def read(environ: Mapping[str, str] = os.environ, *, folder: Path | None = None, **given: str | None) -> Settings:
    """Settings from `given` (command-line options), the environment, then `comptoir.toml` in `folder`.

    Raises InvalidInput with a sentence that names the setting and what it takes.
    """
    values = _file_values((folder or Path.cwd()) / _FILE)
    values |= {name.removeprefix(_PREFIX): text for name, text in environ.items() if name.startswith(_PREFIX)}
    values |= {name.upper(): text for name, text in given.items() if text is not None}

    data_dir = _folder(values.get("DATA_DIR") or "comptoir-data")
    host = values.get("HOST") or "127.0.0.1"
    port = _integer("PORT", values.get("PORT") or "8000", least=0, most=65535)
    public_url = _address("PUBLIC_URL", values.get("PUBLIC_URL") or f"http://{_shown(host)}:{port}")
    metrics_port = values.get("METRICS_PORT") or None
    scale = _positive("TIME_SCALE", values.get("TIME_SCALE") or "1")
    upstreams = {integration.key: _upstream(integration, values) for integration in INTEGRATIONS}
    is_real = any(_is_real(integration, upstreams[integration.key]) for integration in INTEGRATIONS)
    if scale > 1 and is_real:
        raise InvalidInput(
            f"COMPTOIR_TIME_SCALE={scale:g} would run through the windows of limits faster than the upstream itself. "
            "Leave it out; it is for servers of your own."
        )
    failpoints = values.get("FAILPOINTS") or None
    if failpoints is not None and (is_real or values.get("TEST_SEAMS") != "1"):
        raise InvalidInput(
            "COMPTOIR_FAILPOINTS makes the process fail on purpose, so it is taken only with COMPTOIR_TEST_SEAMS=1 and "
            "away from the real upstream. Leave it out."
        )
    return Settings(
        data_dir=data_dir,
        database_url=values.get("DATABASE_URL") or f"sqlite:///{data_dir / 'comptoir.db'}",
        host=host,
        port=port,
        public_url=public_url,
        base_domain=_domain("BASE_DOMAIN", values.get("BASE_DOMAIN") or ""),
        master_key=values.get("MASTER_KEY") or None,
        time_scale=scale,
        lease_seconds=_positive("LEASE_SECONDS", values.get("LEASE_SECONDS") or "60"),
        log_format=_one_of("LOG_FORMAT", values.get("LOG_FORMAT") or "console", ("console", "json")),
        log_level=_one_of("LOG_LEVEL", values.get("LOG_LEVEL") or "info", ("debug", "info", "warning", "error")),
        metrics_port=metrics_port and _integer("METRICS_PORT", metrics_port, least=1, most=65535),
        metrics_token=values.get("METRICS_TOKEN") or None,
        failpoints=failpoints,
        bounds=_bounds(values),
        oidc=_oidc(values),
        api_limits=_api_limits(values.get("API_LIMITS") or "30000/60,60000/60,1000/60"),
        upstreams=upstreams,
    )


def _oidc(values: Mapping[str, str]) -> OidcSettings | None:
    issuer, client_id = values.get("OIDC_ISSUER") or "", values.get("OIDC_CLIENT_ID") or ""
    secret = values.get("OIDC_CLIENT_SECRET") or ""
    if not (issuer or client_id or secret):
        return None
    if not (issuer and client_id and secret):
        raise InvalidInput(
            "COMPTOIR_OIDC_ISSUER, COMPTOIR_OIDC_CLIENT_ID and COMPTOIR_OIDC_CLIENT_SECRET belong together: set all "
            "three, or none."
        )
    address = _address("OIDC_ISSUER", issuer, bare=False)
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise InvalidInput(f"COMPTOIR_OIDC_ISSUER={issuer} is not on https.")
    return OidcSettings(issuer=address, client_id=client_id, client_secret=secret)


def _bounds(values: Mapping[str, str]) -> Bounds:
    bounds = Bounds()
    return Bounds(
        connect_seconds=_positive("CONNECT_SECONDS", values.get("CONNECT_SECONDS") or f"{bounds.connect_seconds}"),
        idle_seconds=_positive("IDLE_SECONDS", values.get("IDLE_SECONDS") or f"{bounds.idle_seconds}"),
        whole_seconds=_positive("WHOLE_SECONDS", values.get("WHOLE_SECONDS") or f"{bounds.whole_seconds}"),
        largest_body=_integer(
            "LARGEST_BODY", values.get("LARGEST_BODY") or f"{bounds.largest_body}", least=1024, most=2**31
        ),
    )


def _folder(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:  # ~name of nobody
        raise InvalidInput(f"COMPTOIR_DATA_DIR={text} names the home of a user who is not known here.") from error


def _file_values(path: Path) -> dict[str, str]:
    """What the file says, by name without prefix; a table such as [freeagent] stands for the prefix FREEAGENT_."""
    try:
        parsed = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}. Correct or remove the file.") from error
    found = dict(_flat(parsed))
    known = names()
    for name, value in found.items():
        # A name that is mistyped must not leave its setting as it was without a word.
        if name not in known or isinstance(value, (dict, list, bool)):
            raise InvalidInput(f"{path}: {name} is not a setting, or has a value of a kind that none takes.")
    return {name: str(value) for name, value in found.items()}


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        full = prefix + name.upper().removeprefix(_PREFIX)
        if isinstance(value, dict) and not prefix:
            yield from _flat(value, f"{full}_")
        else:
            yield full, value


def names() -> frozenset[str]:
    """Every setting there is, without prefix."""
    own = (
        "DATA_DIR DATABASE_URL HOST PORT PUBLIC_URL BASE_DOMAIN MASTER_KEY TIME_SCALE LOG_FORMAT FAILPOINTS TEST_SEAMS "
        "LOG_LEVEL METRICS_PORT METRICS_TOKEN LEASE_SECONDS "
        "CONNECT_SECONDS IDLE_SECONDS WHOLE_SECONDS LARGEST_BODY ADDRESS_LIMIT "
        "OIDC_ISSUER OIDC_CLIENT_ID OIDC_CLIENT_SECRET API_LIMITS"
    )
    each = ("URL", "DEVELOPER_URL", "AUTHORISE_URL", "TOKEN_URL", "LIMITS")
    return frozenset(own.split()) | {f"{_prefix(one)}_{name}" for one in INTEGRATIONS for name in each}


def _prefix(integration: Integration) -> str:
    return integration.slug.upper().replace("-", "_")


def _upstream(integration: Integration, values: Mapping[str, str]) -> UpstreamSettings:
    prefix = _prefix(integration)

    def value(name: str) -> str | None:
        return values.get(f"{prefix}_{name}") or None

    def address_of(name: str, otherwise: str, *, bare: bool = False) -> str:
        full, text = f"{prefix}_{name}", value(name) or otherwise
        _refuse_host(integration, full, text)
        checked = _address(full, text, bare=bare)
        if _is_own(integration, checked) and urlsplit(checked).scheme != "https":
            raise InvalidInput(f"COMPTOIR_{full}={text}: {integration.name} is only reached over https.")
        return checked

    origin = address_of("URL", integration.origin, bare=True)
    authorise = address_of("AUTHORISE_URL", origin + integration.oauth.authorise_path)
    token = address_of("TOKEN_URL", origin + integration.oauth.token_path)
    developer = address_of("DEVELOPER_URL", integration.developer_url)
    calls, refreshes = integration.limits, integration.refresh_limit
    own = _is_own(integration, origin) or _is_own(integration, token)
    if (text := value("LIMITS")) is not None:
        given_calls, given_refreshes = _limits(f"{prefix}_LIMITS", text)
        if own and not (_all_kept(calls, given_calls) and _is_kept(refreshes, given_refreshes)):
            raise InvalidInput(
                f"COMPTOIR_{prefix}_LIMITS={text} would exceed the limits of {integration.name} itself. "
                "Leave it out, or set lower ones."
            )
        new_calls: tuple[Limit, ...] | None = given_calls
        new_refreshes: Limit | None = given_refreshes
    else:
        new_calls, new_refreshes = calls, refreshes
    address: Limit | None = integration.address_limit
    # A server that has no limits of its own has none for the address either, unless told otherwise.
    if text := values.get("ADDRESS_LIMIT"):
        address = None if text.strip().lower() == "off" else _limit("ADDRESS_LIMIT", text)
        if own and not _is_kept(integration.address_limit, address):
            raise InvalidInput(
                f"COMPTOIR_ADDRESS_LIMIT={text} would exceed the limit of {integration.name} itself. "
                "Leave it out, or set a lower one."
            )
    elif new_calls is None:
        address = None
    return UpstreamSettings(
        origin=origin,
        developer_url=developer,
        authorise_url=authorise,
        token_url=token,
        limits=Limits(calls=new_calls, refreshes=new_refreshes, address=address),
    )


def _refuse_host(integration: Integration, name: str, address: str) -> None:
    """Refuse a host however it is spelled: what a client would make of escapes and foreign letters counts."""
    spelled = unicodedata.normalize("NFKC", unquote(address)).strip().translate(_FULL_STOPS)
    try:
        host = urlsplit(spelled if "//" in spelled else f"//{spelled}").hostname or ""
    except ValueError:
        return  # no address at all, as is said next
    for suffix, sentence in integration.refused_hosts.items():
        if _is_host(host, suffix):
            raise InvalidInput(f"COMPTOIR_{name}={address}: {sentence}")


def _is_real(integration: Integration, upstream: UpstreamSettings) -> bool:
    return _is_own(integration, upstream.origin) or _is_own(integration, upstream.token_url)


def _is_own(integration: Integration, address: str) -> bool:
    return any(_is_host(urlsplit(address).hostname or "", host) for host in integration.own_hosts)


def _is_host(host: str, suffix: str) -> bool:
    host = host.rstrip(".").lower()
    return host == suffix or host.endswith("." + suffix)


def _all_kept(own: tuple[Limit, ...], given: tuple[Limit, ...] | None) -> bool:
    return given is not None and all(any(_is_kept(one, limit) for limit in given) for one in own)


def _is_kept(own: Limit, given: Limit | None) -> bool:
    """Whether whoever keeps the given limit keeps the own one too, however its calls are spread in its windows."""
    if given is None:
        return False
    (most, window), (count, seconds) = own, given
    windows = 1 if seconds >= window else -(-window // seconds) + (1 if window % seconds else 0)
    return count * windows <= most


def _limits(name: str, text: str) -> tuple[tuple[Limit, ...] | None, Limit | None]:
    """`120/60,3600/3600,15/60`: windows for calls, and last the one for token refreshes; or `off`."""
    if text.strip().lower() == "off":
        return None, None
    parts = [_limit(name, part) for part in text.split(",")]
    if len(parts) < 2:
        raise InvalidInput(
            f"COMPTOIR_{name}={text} is not understood. Write calls/seconds for calls and, last, for token "
            "refreshes, as in 120/60,3600/3600,15/60, or off."
        )
    return tuple(parts[:-1]), parts[-1]


def _api_limits(text: str) -> tuple[Limit | None, Limit | None, Limit | None]:
    """Requests that one key, one tenant and one address may make; `off` for no limit, of all or of one."""
    parts = [part.strip().lower() for part in text.split(",")]
    if parts == ["off"]:
        parts *= 3
    if len(parts) != 3:
        raise InvalidInput(
            f"COMPTOIR_API_LIMITS={text} is not understood. Write requests/seconds for a key, a tenant and an address, "
            "as in 30000/60,60000/60,1000/60, or off."
        )
    key, tenant, address = (None if part == "off" else _limit("API_LIMITS", part) for part in parts)
    return key, tenant, address


def _limit(name: str, text: str) -> Limit:
    count, slash, seconds = text.strip().partition("/")
    is_written_right = slash and text.isascii() and len(text) < 40 and count.isdigit() and seconds.isdigit()
    if is_written_right and int(count) and int(seconds):
        return int(count), int(seconds)
    raise InvalidInput(f"COMPTOIR_{name}: {text!r} is not understood. Write calls/seconds, as in 120/60, or off.")


def _address(name: str, text: str, *, bare: bool = True) -> str:
    """An http(s) address without trailing slash; `bare` ones have no path, query or fragment."""
    address = text.strip()
    try:
        parts = urlsplit(address)
        is_right = parts.scheme in ("http", "https") and (parts.port is None or parts.port > 0)
    except ValueError:
        parts, is_right = urlsplit(""), False
    host = parts.netloc if parts.netloc.endswith("]") else parts.netloc.rpartition(":")[0] or parts.netloc
    is_bare = not (parts.path.strip("/") or parts.query or parts.fragment)
    if not is_right or not _HOST.fullmatch(host) or not address.isascii() or (bare and not is_bare):
        raise InvalidInput(
            f"COMPTOIR_{name}={text} is not an address such as https://books.example.com"
            + (" (without a path)." if bare else ".")
        )
    return address.rstrip("/")


def _domain(name: str, text: str) -> str | None:
    """A bare host name, or None for nothing."""
    domain = text.strip().rstrip(".").lower()
    if not domain:
        return None
    if not _DOMAIN.fullmatch(domain) or len(domain) > 200:
        raise InvalidInput(f"COMPTOIR_{name}={text} is not a host name such as example.com, without https://.")
    return domain


def _integer(name: str, text: str, *, least: int, most: int) -> int:
    if text.isascii() and text.strip().isdigit() and len(text) < 20 and least <= int(text) <= most:
        return int(text)
    raise InvalidInput(f"COMPTOIR_{name}={text} is not a whole number from {least} to {most}.")


def _positive(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if 0 < number < float("inf"):
        return number
    raise InvalidInput(f"COMPTOIR_{name}={text} is not a number above zero.")


def _one_of(name: str, text: str, choices: tuple[str, ...]) -> str:
    if text in choices:
        return text
    raise InvalidInput(f"COMPTOIR_{name}={text} is not known. It takes {' or '.join(choices)}.")


def _shown(host: str) -> str:
    """The host a person on this machine can open: a wildcard address is not one."""
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
