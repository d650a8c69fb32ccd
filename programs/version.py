"""Which version of the product this is. Start at `product_version`."""

from importlib.metadata import PackageNotFoundError, version


def product_version() -> str:
    """As installed; "0" where only the source is there."""
    try:
        return version("gatepost")
    except PackageNotFoundError:
        return "0"
