"""Yuan as they are typed and printed; sums are whole fen everywhere else. Pure."""

import re

from pointsbank.core.text import halfwidth

FEN_A_YUAN = 100
MINUS = "\u2212"
# Far above what one line is worth, and far from where sums overflow.
AMOUNT = re.compile(r"(?P<sign>[-\u2212]?)(?P<yuan>\d{1,8})(?:\.(?P<fen>\d{1,2}))?", re.ASCII)


def fen_from(text: str) -> int | None:
    """Return an amount of yuan as it is typed, 10, 10.5元 or −10.50, in fen; None for none.

    Full-width digits and the true minus sign are read too.
    """
    match = AMOUNT.fullmatch(halfwidth(text).removesuffix("元").strip())
    if match is None:
        return None
    fen = int(match["yuan"]) * FEN_A_YUAN + int((match["fen"] or "").ljust(2, "0"))
    return -fen if match["sign"] else fen


def yuan_text(fen: int) -> str:
    """Write fen as yuan with two places: 1234.50, or -0.05."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // FEN_A_YUAN}.{abs(fen) % FEN_A_YUAN:02}"


def yuan(fen: int) -> str:
    """Print fen as ¥1,234.50, with the true minus sign below zero."""
    sign = MINUS if fen < 0 else ""
    return f"{sign}¥{abs(fen) // FEN_A_YUAN:,}.{abs(fen) % FEN_A_YUAN:02}"
