"""QR codes as inline SVG: one path, black on white, with a quiet zone."""

from functools import lru_cache

from markupsafe import Markup
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

QUIET_ZONE_MODULES = 4


def qr_matrix(text: str) -> list[list[bool]]:
    """Return the modules of a text's QR code at level M, dark ones true, without quiet zone."""
    code: QRCode[object] = QRCode(error_correction=ERROR_CORRECT_M, border=0)
    code.add_data(text)
    code.make(fit=True)
    return [[bool(module) for module in row] for row in code.get_matrix()]


@lru_cache(maxsize=256)
def qr_svg(text: str) -> Markup:
    """Draw a text as a QR code at level M. The same text is drawn once and remembered."""
    matrix = qr_matrix(text)
    size = len(matrix) + 2 * QUIET_ZONE_MODULES
    path = "".join(
        f"M{x + QUIET_ZONE_MODULES} {y + QUIET_ZONE_MODULES}h1v1h-1z"
        for y, row in enumerate(matrix)
        for x, is_dark in enumerate(row)
        if is_dark
    )
    return Markup(
        f'<svg class="qr" viewBox="0 0 {size} {size}" shape-rendering="crispEdges" '
        'aria-hidden="true">'
        f'<rect width="{size}" height="{size}" fill="#fff"/>'
        f'<path d="{path}" fill="#000"/></svg>'
    )
