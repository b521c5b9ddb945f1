"""What use would cost at the list prices of its models.

A model without a price is named as such and never counted as free. Nothing is rounded here.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from gateway.models import LanguageModel
from usage import reports


@dataclass(frozen=True, slots=True)
class ListPrice:
    """US dollars per million tokens."""

    input: Decimal
    output: Decimal

    def __str__(self) -> str:
        """As pages write it.

        >>> str(ListPrice(Decimal("1.7500"), Decimal("14.0000")))
        'Input $1.75, output $14.00 per million tokens'
        """
        return f"Input {dollars(self.input)}, output {dollars(self.output)} per million tokens"

    def of(self, prompt_tokens: int, completion_tokens: int) -> Decimal:
        """What so many tokens cost, to the last digit."""
        return (prompt_tokens * self.input + completion_tokens * self.output).scaleb(-6)


@dataclass(frozen=True, slots=True)
class ModelCost:
    """What was used of a model; ``cost`` is None where it has no price."""

    model: str
    prompt_tokens: int
    completion_tokens: int
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class ListCost:
    """The same use at list prices, model by model, the most tokens first."""

    rows: tuple[ModelCost, ...]

    @property
    def total(self) -> Decimal:
        """Of the models that have a price; ``unpriced`` says what is missing."""
        return sum((row.cost for row in self.rows if row.cost is not None), Decimal(0))

    @property
    def unpriced(self) -> list[str]:
        """The models that the total leaves out."""
        return [row.model for row in self.rows if row.cost is None]


def at_list_prices(account_id: int, start: datetime, end: datetime) -> ListCost:
    """What an account used from ``start`` up to ``end``, at the prices of today.

    Rollups name a model by its id, whatever alias was asked for. One that has left the catalogue
    keeps its last price; one that was never in it has none.
    """
    used = reports.by_model(account_id, start, end)
    used = {model: totals for model, totals in used.items() if totals.tokens}
    prices = prices_of(used)
    return ListCost(
        tuple(
            _cost(model, totals.prompt_tokens, totals.completion_tokens, prices.get(model))
            for model, totals in used.items()
        )
    )


def prices_of(model_ids: Collection[str]) -> dict[str, ListPrice]:
    """The prices of those models that have any."""
    rows = LanguageModel.objects.filter(model_id__in=model_ids)
    return {
        model_id: ListPrice(input_price, output_price)
        for model_id, input_price, output_price in rows.values_list(
            "model_id", "input_price", "output_price"
        )
        if input_price is not None and output_price is not None
    }


def dollars(price: Decimal) -> str:
    """A price in full, and with cents at least.

    >>> dollars(Decimal("14")), dollars(Decimal("0.0750")), dollars(Decimal("1234.5"))
    ('$14.00', '$0.075', '$1,234.50')
    """
    text = f"{price:,.4f}"
    return f"${text[:-2]}{text[-2:].rstrip('0')}"


def _cost(model: str, prompt: int, completion: int, price: ListPrice | None) -> ModelCost:
    return ModelCost(model, prompt, completion, price.of(prompt, completion) if price else None)
