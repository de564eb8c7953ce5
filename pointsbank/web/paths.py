"""Where a page may send a person next: our own paths, nothing else."""

from urllib.parse import urlsplit

PATH_LENGTH_MAX = 500


def own_path(path: str | None, default: str = "/") -> str:
    """Return the path when it is one of ours, else the default.

    Browsers read a backslash as a slash and drop control characters, so both are refused, and
    so is a second slash at the beginning, which would name a host.
    """
    if not path or len(path) > PATH_LENGTH_MAX:
        return default
    if not path.startswith("/") or path.startswith("//") or "\\" in path:
        return default
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in path):
        return default
    try:
        parts = urlsplit(path)
    except ValueError:
        return default
    return default if parts.scheme or parts.netloc else path
