"""Texts that are held up to a scanner: good codes, and what may be made of them."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar
from urllib.parse import quote

from proving.genuine import (
    ALPHABET,
    LETTERS,
    PURPOSES,
    TEXT_LENGTH_MAX,
    World,
    digits_of,
    written,
)

HOST = "points.example"
# The same seed draws the same corpus for ever.
CORPUS_SEED = 20261122
DRAWN = 160
MUTATIONS_MAX = 4
REPEATS_MAX = 40

T = TypeVar("T")
# A number from 0 to n - 1: of a die, or of a fuzzer's bytes.
Draw = Callable[[int], int]
Mutation = Callable[[World, str, Draw], str]

# Characters that a careless change of case, cleaning or decoding takes for something else.
STRANGE = (
    *(
        "\0",
        "\n",
        "\t",
        " ",
        "\u3000",
        "\u00a0",
        "\u200b",
        "\u200f",
        "\ufeff",
        "\u0301",
        "\x7f",
    ),
    *("\u017f", "\u0131", "\u212a", "\ufb01", "\u00df", "\u0405", "\u0410", "\uff21", "\u2460"),
    *(
        "=",
        "%",
        "/",
        "\\",
        "?",
        "#",
        "@",
        "-",
        "'",
        '"',
        "<",
        ";",
        "+",
        "0",
        "1",
        "8",
        "9",
        "A",
    ),
    *("\u0661", "\u00b2", "\U0001d7d9", "\U0001f600", "\ud800"),
)
# One letter, and what changes into it with a change of case.
TWINS = {"S": "\u017f", "I": "\u0131", "K": "\u212a", "A": "\u0410", "O": "0", "B": "8"}
FOREIGN = (
    *(
        "",
        " ",
        "0",
        "1234",
        "0000",
        "hello",
        "\u4f60\u597d",
        "\U0001f600",
        "\ud800",
        "\0",
        "%00",
    ),
    *("https://u.wechat.com/EAbcDEfgHIjkLMnoPQr", "https://qr.alipay.com/fkx0123456789"),
    *("https://points.example/", "https://points.example/M/", "HTTPS:///M/AAAA", "M/AAAA"),
    *("134567890123456789", "284567890123456789", "771234567890123456", "7" * 18, "77" * 9),
    *("9" * 17, "9" * 19, "A" * 40, "A" * TEXT_LENGTH_MAX, "7" * TEXT_LENGTH_MAX),
    *(
        "V00000012",
        "\uff36\uff10\uff10\uff10\uff10\uff10\uff10\uff11\uff12",
        "V-1",
        "-1",
        "V" * 20,
    ),
    *('{"code": 1}', "'; DROP TABLE scan; --", "<script>", "../../etc/passwd", "WIFI:S:x;;"),
)


def address(text: str, letter: str, host: str = HOST, scheme: str = "https") -> str:
    """Return the address that a QR code would hold."""
    return f"{scheme}://{host}/{letter}/{text}"


def unwritten(text: str) -> bytes:
    """Return the bytes of a code's base32, with anything else in it taken for A."""
    value = 0
    for letter in text:
        value = value << 5 | max(0, ALPHABET.find(letter))
    return (value >> len(text) * 5 % 8).to_bytes(len(text) * 5 // 8, "big")


def corpus(world: World) -> Iterator[tuple[str, str]]:
    """Give named texts, good and hostile: the same ones on every run."""
    for text, meaning in world.good.items():
        yield f"good {meaning.kind}", text
    for text in world.stale:
        yield "stale", text
    for number, text in enumerate(FOREIGN):
        yield f"foreign {number}", text
    yield from _digits(world)
    for kind in PURPOSES:
        text = next(each for each, said in world.good.items() if said.kind == kind)
        for name, changed in (*_spellings(text), *_damaged(text), *_forged(world, kind, text)):
            yield f"{kind} {name}", changed
    dice = random.Random(CORPUS_SEED)
    for number in range(DRAWN):
        yield f"drawn {number}", mutated(world, dice.randrange)


def _digits(world: World) -> Iterator[tuple[str, str]]:
    for number in world.numbers:
        digits = digits_of(number)
        yield "digits", digits
        yield "digits in groups", " ".join(digits[at : at + 4] for at in range(0, 18, 4))
        yield "digits with hyphens", "-".join(digits)
        yield "digits in full width", "".join(chr(ord(each) + 0xFEE0) for each in digits)
        yield "digits in Arabic", "".join(chr(ord(each) + 0x630) for each in digits)
        yield "digits and a wrong one", digits[:-1] + str((int(digits[-1]) + 1) % 10)
        yield "digits swapped", digits[:7] + digits[8] + digits[7] + digits[9:]
        yield "digits cut", digits[:-1]
        yield "digits and one more", digits + "0"
        yield "digits in an address", address(digits, "R")
        yield "digits and NUL", digits + "\0"
        yield "digits and a zero-width space", digits[:9] + "\u200b" + digits[9:]
        yield "digits of a circle", digits.replace("1", "\u2460")
        yield "digits far apart", (" " * 40).join(digits)


def _spellings(text: str) -> Iterator[tuple[str, str]]:
    yield "in lower case", text.lower()
    yield (
        "in mixed case",
        "".join(each.lower() if place % 3 else each for place, each in enumerate(text)),
    )
    yield "with spaces around", f"  {text}\r\n"
    yield "with wide spaces around", f"\u3000{text}\u3000"
    for letter in LETTERS:
        yield f"behind {letter}", address(text, letter)
    yield "of another host", address(text, "M", "evil.example:8443")
    yield "of a host with a name", address(text, "M", "a:b@points.example")
    yield "in upper case", address(text, "S").upper()
    yield "without TLS", address(text, "K", scheme="http")
    yield "with a slash", address(text, "R") + "/"
    yield "with two slashes", address(text, "R") + "//"
    yield "below a path", address(text, "M", f"{HOST}/x")
    yield "above a path", address(text, "M") + "/x"
    yield "with a query", address(text, "M") + "?x=1"
    yield "with a fragment", address(text, "M") + "#x"
    yield "without a scheme", f"//{HOST}/M/{text}"
    yield "of another scheme", address(text, "M", scheme="ftp")
    yield "of no host", address(text, "M", "")
    yield "of a host in two words", address(text, "M", "points example")
    yield "of a host with NUL", address(text, "M", "points\0example")
    yield "behind no letter", address(text, "Z")
    yield "behind a long s", address(text, "\u017f")
    yield "behind a Kelvin sign", address(text, "\u212a")
    room = TEXT_LENGTH_MAX - len(address(text, "M", ""))
    yield "as long as can be", address(text, "M", "h" * room)
    yield "cut to be good", address(text, "M", "h" * room) + "x"
    yield "far from the end", text + " " * 46 + "x"
    yield "very far from the end", text + " " * TEXT_LENGTH_MAX + "x"


def _damaged(text: str) -> Iterator[tuple[str, str]]:
    for length in (1, 2, 8, len(text) // 2, len(text) - 8, len(text) - 1):
        yield f"cut to {length}", text[:length]
    yield "without its first", text[1:]
    yield "doubled", text + text
    yield "backwards", text[::-1]
    yield "padded", text + "=" * (-len(text) % 8 or 8)
    yield "padded by one", text + "="
    yield "in full width", "".join(chr(ord(each) + 0xFEE0) for each in text)
    yield "percent-encoded", "".join(f"%{ord(each):02X}" for each in text)
    yield "percent-encoded once", f"%{ord(text[0]):02X}{text[1:]}"
    yield "quoted", f'"{text}"'
    for strange in ("\0", "\n", " ", "\u200b", "\ufeff", "\u0301", "-", "\ud800"):
        yield f"with {strange!r} within", text[:9] + strange + text[9:]
        yield f"with {strange!r} behind", text + strange
    for letter, twin in TWINS.items():
        yield f"with {letter} spelled otherwise", text.replace(letter, twin)
        yield f"with {letter} spelled otherwise once", text.replace(letter, twin, 1)
    yield "with another last letter", text[:-1] + ("B" if text[-1] != "B" else "C")
    yield from _loose(text)
    data = unwritten(text)
    for place in range(0, len(data), 2):
        yield (
            f"with a bit of byte {place} turned",
            written(_turned(data, place * 8 + place % 8)),
        )


def _loose(text: str) -> Iterator[tuple[str, str]]:
    """Give the other spellings of the same bytes: letters whose last bits say nothing."""
    loose = min(5, len(text) * 5 % 8)
    first = ALPHABET.index(text[-1]) >> loose << loose
    for more, letter in enumerate(ALPHABET[first : first + (1 << loose)]):
        if letter != text[-1]:
            yield f"with loose bits {more}", text[:-1] + letter


def _forged(world: World, kind: str, text: str) -> Iterator[tuple[str, str]]:
    data = unwritten(text)
    body = data[1:-10]
    for version in (0, 2, 3):
        header = version << 6 | PURPOSES[kind]
        yield f"of version {version}", world.sealed(kind, body, header=header)
    for key_id in range(1, 8):
        header = 1 << 6 | key_id << 3 | PURPOSES[kind]
        yield f"of key {key_id}", world.sealed(kind, body, header=header)
    for purpose in range(8):
        if purpose != PURPOSES[kind]:
            yield f"relabelled {purpose}", written(bytes([1 << 6 | purpose]) + data[1:])
            yield f"sealed as {purpose}", world.sealed(kind, body, header=1 << 6 | purpose)
    for other in PURPOSES:
        if other != kind:
            key = world.key_of(other, body)
            yield f"under the key of {other}", world.sealed(kind, body, key)
    yield "under no key", world.sealed(kind, body, bytes(32))
    yield "with an empty MAC", written(data[:-10] + bytes(10))
    yield "with a short MAC", written(data[:-1])
    yield "with a long MAC", written(data + b"\0")
    others = [each for each, said in world.good.items() if said.kind == kind]
    yield "with the MAC of another", written(data[:-10] + unwritten(others[-1])[-10:])
    if kind == "venue":
        yield "of no direction", world.sealed(kind, body[:-1] + b"\x03")


def mutated(world: World, draw: Draw) -> str:
    """Return a text made of a good code, or of something like it, by up to four changes."""
    text = _begun(world, draw)
    for _ in range(draw(MUTATIONS_MAX + 1)):
        text = MUTATIONS[draw(len(MUTATIONS))](world, text, draw)
    return text


def _begun(world: World, draw: Draw) -> str:
    choice = draw(8)
    if choice < 5:
        return _one(world.texts, draw)
    if choice == 5:
        return _one(world.stale, draw)
    if choice == 6:
        return digits_of(_one(world.numbers, draw))
    return _one(FOREIGN, draw)


def _one(items: Sequence[T], draw: Draw) -> T:
    return items[draw(len(items))]


def _turned(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _turn_a_bit(world: World, text: str, draw: Draw) -> str:
    data = unwritten(text) or b"\0"
    return written(_turned(data, draw(len(data) * 8)))


def _cut(world: World, text: str, draw: Draw) -> str:
    return text[: draw(len(text) + 1)]


def _leave_one_out(world: World, text: str, draw: Draw) -> str:
    place = draw(len(text) + 1)
    return text[:place] + text[place + 1 :]


def _put_in(world: World, text: str, draw: Draw) -> str:
    place = draw(len(text) + 1)
    return text[:place] + _one(STRANGE, draw) + text[place:]


def _replace(world: World, text: str, draw: Draw) -> str:
    place = draw(len(text) + 1)
    return text[:place] + _one(STRANGE, draw) + text[place + 1 :]


def _put_around(world: World, text: str, draw: Draw) -> str:
    strange = _one(STRANGE, draw) * (1 + draw(REPEATS_MAX))
    return strange + text if draw(2) else text + strange


def _change_case(world: World, text: str, draw: Draw) -> str:
    return (text.lower(), text.upper(), text.swapcase(), text.title())[draw(4)]


def _twin(world: World, text: str, draw: Draw) -> str:
    letter, twin = _one(list(TWINS.items()), draw)
    return text.replace(letter, twin, 1 + draw(3))


def _in_address(world: World, text: str, draw: Draw) -> str:
    hosts = (HOST, "evil.example", "[::1]:80", "", "a b", "h" * 450, "points.example/x")
    schemes = ("https", "http", "HTTPS", "ftp", "")
    end = ("", "/", "//", "?a=b", "#a", " ")[draw(6)]
    letter = _one([*LETTERS, *LETTERS.lower(), "Z", "\u017f", "\u212a"], draw)
    return address(text, letter, _one(hosts, draw), _one(schemes, draw)) + end


def _to_the_limit(world: World, text: str, draw: Draw) -> str:
    """Write an address about as long as a text may be, and perhaps something behind it."""
    room = TEXT_LENGTH_MAX - len(address(text, "M", ""))
    whole = address(text, _one(LETTERS, draw), "h" * max(1, room + draw(3) - 1))
    return whole + _one(STRANGE, draw) * draw(3)


def _percent(world: World, text: str, draw: Draw) -> str:
    place = draw(len(text) + 1)
    return text[:place] + quote(text[place : place + 1 + draw(3)], safe="", errors="replace")


def _join(world: World, text: str, draw: Draw) -> str:
    return text + _one(world.texts, draw)


def _splice(world: World, text: str, draw: Draw) -> str:
    place = draw(len(text) + 1)
    return text[:place] + _one(world.texts, draw)[place:]


def _seal_anew(world: World, text: str, draw: Draw) -> str:
    """Seal a body that is not good, as somebody could who holds another key."""
    kind, other = _one(list(PURPOSES), draw), _one(list(PURPOSES), draw)
    body = unwritten(text)[1:-10]
    wrong = world.key_of(other, body) if other != kind else bytes(32)
    header = draw(256)
    # Under that header the key would be the right one.
    header ^= header == 1 << 6 | PURPOSES[other]
    return world.sealed(kind, body, wrong, header)


def _seal_oddly(world: World, text: str, draw: Draw) -> str:
    """Seal under the right key what the service never writes: a header or direction not in
    use."""
    good = _one(world.texts, draw)
    kind, body = world.good[good].kind, unwritten(good)[1:-10]
    if kind == "venue" and draw(2):
        return world.sealed(kind, body[:-1] + bytes([3 + draw(253)]))
    right = 1 << 6 | PURPOSES[kind]
    return world.sealed(kind, body, header=right ^ (1 + draw(255)))


def _loosen(world: World, text: str, draw: Draw) -> str:
    spellings = [changed for _, changed in _loose(text)] if _is_code(text) else []
    return _one([text, *spellings], draw)


def _is_code(text: str) -> bool:
    return bool(text) and not text.strip(ALPHABET)


def _widen(world: World, text: str, draw: Draw) -> str:
    return "".join(
        chr(ord(each) + 0xFEE0) if "!" <= each <= "~" and draw(2) else each for each in text
    )


def _group(world: World, text: str, draw: Draw) -> str:
    size, between = 1 + draw(6), (" ", "-", "\u3000", "\n", "--")[draw(5)]
    return between.join(text[at : at + size] for at in range(0, len(text), size))


MUTATIONS: tuple[Mutation, ...] = (
    *(_turn_a_bit, _cut, _leave_one_out, _put_in, _replace, _put_around, _change_case, _twin),
    *(_in_address, _percent, _join, _splice, _seal_anew, _seal_oddly, _loosen),
    *(_widen, _group, _to_the_limit),
)
