"""Sums and means compared exactly, on both databases."""

from decimal import Decimal
from typing import Any

from django.db.models import Aggregate, BigIntegerField

# SQLite keeps decimals as floating point, where 0.1 + 0.2 is not 0.3. Each value is exact to 15 digits, so it is cut
# into whole numbers (millions, units, and the column's decimals as a whole number), which add up exactly.
MILLION = 1_000_000


class Balance(Aggregate):
    """Σ values − operand, or Σ values − n · operand for a mean: its sign decides the comparison.

    PostgreSQL adds its exact decimals. On SQLite sums stay exact up to 9 · 10^24; should the last step leave the
    64-bit range, SQLite goes on in floating point, where only the sign matters. Over no values the sum is 0.
    """

    name = "Balance"
    function = "SUM"
    output_field = BigIntegerField()
    allow_distinct = False

    def __init__(self, expression: Any, operand: int | Decimal, mean: bool = False, **extra: Any) -> None:
        self.operand = Decimal(operand)
        self.mean = mean
        super().__init__(expression, **extra)

    @property
    def identity(self) -> Any:
        """Tell balances of different operands apart."""
        return (*super().identity, self.operand, self.mean)

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> Any:  # type: ignore[override]
        """Render for a database with exact decimals."""
        sql, params = compiler.compile(self.get_source_expressions()[0])
        if self.mean:
            return f"(COALESCE(SUM({sql}), 0) - COUNT({sql}) * %s::numeric)", (*params, *params, str(self.operand))
        return f"(COALESCE(SUM({sql}), 0) - %s::numeric)", (*params, str(self.operand))

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """Render with whole numbers only."""
        source = self.get_source_expressions()[0]
        sql, params = compiler.compile(source)
        kept = getattr(source.output_field, "decimal_places", 0)
        places = max(kept, -int(self.operand.as_tuple().exponent))  # type: ignore[arg-type]
        scale = 10**places
        whole, rest = divmod(int(self.operand.scaleb(places)), scale)
        millions, units = divmod(whole, MILLION)
        count, count_params = (f"COUNT({sql})", tuple(params)) if self.mean else ("1", ())
        whole_sql = f"CAST({sql} AS INTEGER)"
        fraction = f"CAST(ROUND(({sql} - {whole_sql}) * {10**kept}) AS INTEGER)"

        def over(part: str, figure: int) -> str:
            return f"(COALESCE(SUM({part}), 0) - {count} * {figure})"

        balance = (
            f"(({over(f'{whole_sql} / {MILLION}', millions)} * {MILLION}"
            f" + {over(f'{whole_sql} %% {MILLION}', units)}) * {scale}"
            f" + (COALESCE(SUM({fraction}), 0) * {10 ** (places - kept)} - {count} * {rest}))"
        )
        once = tuple(params)
        return balance, (
            *(*once, *count_params),
            *(*once, *count_params),
            *(*once, *once, *count_params),
        )
