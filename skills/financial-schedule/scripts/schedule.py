"""A loan schedule in cents."""

import argparse
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, getcontext

getcontext().prec = 50
CENT = Decimal("0.01")


def cents(value):
    return value.quantize(CENT, ROUND_HALF_UP)


def rows(principal, rate, periods, kind):
    """(period, instalment, interest, principal, balance) of each period."""
    balance = principal
    if kind == "linear":
        share = cents(principal / periods)
    else:
        growth = (1 + rate) ** -periods if rate else None
        instalment = cents(principal * rate / (1 - growth) if rate else principal / periods)
    for number in range(1, periods + 1):
        interest = cents(balance * rate)
        paid = share if kind == "linear" else instalment - interest
        paid = balance if number == periods else min(paid, balance)
        balance -= paid
        yield number, paid + interest, interest, paid, balance


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("principal")
    parser.add_argument("rate", help="percent a year, nominal")
    parser.add_argument("periods", type=int)
    parser.add_argument("--per-year", type=int, default=12)
    parser.add_argument("--kind", choices=["annuity", "linear"], default="annuity")
    parser.add_argument("--period", type=int)
    parser.add_argument("--total", action="store_true")
    options = parser.parse_args()
    try:
        principal = cents(Decimal(options.principal))
        rate = Decimal(options.rate) / 100 / options.per_year
    except (InvalidOperation, ZeroDivisionError):
        parser.error("principal and rate must be plain numbers, periods a year at least 1")
    if principal <= 0 or rate < 0 or not 1 <= options.periods <= 1200:
        parser.error("principal must be positive, the rate not negative, periods 1 to 1200")
    plan = list(rows(principal, rate, options.periods, options.kind))
    if options.total:
        print(sum(row[2] for row in plan))
        return
    if options.period is not None and not 1 <= options.period <= options.periods:
        parser.error(f"there is no period {options.period}")
    print("period;instalment;interest;principal;balance")
    for row in plan:
        if options.period in (None, row[0]):
            print(";".join(map(str, row)))


main()
