"""The keys that interfaces are asked with: their names, and where they come from.

Only from environment variables: profiles, jobs and run directories are kept and shown, environments are not.
The parent fills the environment of the child (``takedowns/interface_keys.py``).
"""

from __future__ import annotations

from collections.abc import Mapping

PREFIX = "VAPEWATCH_"

# Interface → what has to be applied for there. Without a key an interface is public.
KEYS: dict[str, tuple[str, ...]] = {
    "shopify": (),
    "woocommerce": (),
    "ebay": ("client_id", "client_secret"),
    "taobao-union": ("app_key", "app_secret", "adzone_id"),
    "jd-union": ("app_key", "app_secret"),
    "pdd-ddjb": ("client_id", "client_secret", "pid"),
}
CATALOGUES = frozenset({"shopify", "woocommerce"})  # give everything when no term is named


class MissingKeysError(ValueError):
    """The environment lacks keys of an interface; the message names the variables."""


def variable(interface: str, key: str) -> str:
    """The environment variable, e.g. VAPEWATCH_TAOBAO_UNION_APP_KEY."""
    return PREFIX + f"{interface}_{key}".upper().replace("-", "_")


def variables(interface: str) -> tuple[str, ...]:
    return tuple(variable(interface, key) for key in KEYS[interface])


def read_keys(interface: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Key → value. Raises MissingKeysError for those that are not set or empty."""
    found = {key: environment.get(variable(interface, key), "").strip() for key in KEYS[interface]}
    if missing := [variable(interface, key) for key, value in found.items() if not value]:
        raise MissingKeysError(
            f"{interface} needs {', '.join(missing)} in the environment or the secrets file"
        )
    return found
