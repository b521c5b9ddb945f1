"""Amounts as Stripe writes them: whole numbers of the smallest unit of a currency."""

from decimal import Decimal

# Currencies without a smaller unit, and those with a thousandth: docs.stripe.com/currencies
WITHOUT_CENTS = frozenset(
    {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga"}
    | {"pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"}
)
THOUSANDTHS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
SIGNS = {"usd": "$", "eur": "€", "gbp": "£"}
MINUS = "\N{MINUS SIGN}"


def decimals(currency: str) -> int:
    if currency in WITHOUT_CENTS:
        return 0
    return 3 if currency in THOUSANDTHS else 2


def in_units(amount: int, currency: str) -> Decimal:
    """
    >>> in_units(2900, "usd")
    Decimal('29.00')
    """
    return Decimal(amount).scaleb(-decimals(currency))


def smallest(amount: Decimal, currency: str) -> int:
    """The same in the smallest unit. Raises ValueError for a part of that.

    >>> smallest(Decimal("29"), "usd"), smallest(Decimal("900"), "jpy")
    (2900, 900)
    """
    units = amount.scaleb(decimals(currency))
    if units != units.to_integral_value():
        several = f"{decimals(currency)} digits at most" if decimals(currency) else "no digits"
        raise ValueError(f"{currency.upper()} has {several} after the point.")
    return int(units)


def written(amount: int, currency: str) -> str:
    """
    >>> written(123456, "usd"), written(-500, "eur"), written(900, "jpy"), written(990, "chf")
    ('$1,234.56', '−€5.00', '900 JPY', '9.90 CHF')
    """
    sign, number = SIGNS.get(currency, ""), f"{abs(in_units(amount, currency)):,f}"
    minus = MINUS if amount < 0 else ""
    return f"{minus}{sign}{number}" if sign else f"{minus}{number} {currency.upper()}"
