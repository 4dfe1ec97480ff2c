"""Finds every total of this folder again from its files, offline, and says whether it is equal. Standard library only.

Written apart from the program that made the files: it shares no code with it, only the rules in README.txt.
"""

import csv
import hashlib
import heapq
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, setcontext
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
UNDATED = datetime(1, 1, 1, tzinfo=UTC)
ZERO = Decimal(0)
LAST_PLACE = Decimal("1e-18")
RANKED = Decimal("1e-30")
SHARES = Context(prec=96, rounding=ROUND_HALF_EVEN)
LATEST = datetime.max.replace(tzinfo=UTC)
RANK = {"buy": 0, "income": 0, "transfer": 1, "sell": 2, "spend": 2}
Row = dict[str, Any]


def table(name: str) -> list[Row]:
    with open(HERE / f"{name}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def manifest() -> dict[str, Any]:
    told: dict[str, Any] = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))
    return told


def when(text: str) -> datetime | None:
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


def last_sunday(year: int, month: int) -> datetime:
    last = date(year, month, 31)
    return datetime(year, month, 31 - (last.weekday() + 1) % 7, 1, tzinfo=UTC)


def london(time: datetime) -> date:
    """The day in London: British summer time from the last Sunday of March to that of October, 01:00 UTC."""
    is_summer = last_sunday(time.year, 3) <= time < last_sunday(time.year, 10)
    return (time + timedelta(hours=1)).date() if is_summer else time.date()


def share(unit: Decimal, quantity: Decimal) -> Decimal:
    return SHARES.quantize(SHARES.multiply(unit, quantity), LAST_PLACE)


class Part:
    def __init__(self, acquired: datetime | None, number: int, quantity: Decimal, cost: Decimal, match: str):
        self.acquired, self.number, self.quantity, self.cost, self.match = (
            acquired, number, quantity, cost, match,
        )  # fmt: skip
        self.unit = SHARES.divide(cost, quantity)


class Ordered:
    """Lots by age, youth or cost."""

    def __init__(self, method: str):
        self.method, self.heap, self.arrivals = method, [], 0  # type: ignore[var-annotated]

    def put(self, part: Part) -> None:
        self.arrivals += 1
        rank: Any = {"fifo": part.number, "lifo": -part.number}.get(self.method)
        if rank is None:
            rank = (-SHARES.quantize(part.unit, RANKED), part.number)
        heapq.heappush(self.heap, (rank, self.arrivals, part))

    def take(self, wanted: Decimal) -> tuple[list[Part], Decimal]:
        taken: list[Part] = []
        while wanted and self.heap:
            part = self.heap[0][2]
            if part.quantity > wanted:
                cost = share(part.unit, wanted)
                piece = Part(part.acquired, part.number, wanted, cost, part.match)
                piece.unit = part.unit
                part.quantity, part.cost = part.quantity - wanted, part.cost - cost
                return [*taken, piece], ZERO
            heapq.heappop(self.heap)
            wanted -= part.quantity
            taken.append(part)
        return taken, wanted

    def rest(self) -> list[Part]:
        return [entry[2] for entry in sorted(self.heap, key=lambda e: (e[2].number, e[1]))]


class Average:
    """One quantity at one cost."""

    def __init__(self) -> None:
        self.quantity = self.cost = ZERO

    def put(self, part: Part) -> None:
        self.quantity, self.cost = self.quantity + part.quantity, self.cost + part.cost

    def take(self, wanted: Decimal) -> tuple[list[Part], Decimal]:
        got = min(wanted, self.quantity)
        if not got:
            return [], wanted
        cost = self.cost if got == self.quantity else share(SHARES.divide(self.cost, self.quantity), got)
        self.quantity, self.cost = self.quantity - got, self.cost - cost
        return [Part(None, 0, got, cost, "pool")], wanted - got

    def rest(self) -> list[Part]:
        return [Part(None, 0, self.quantity, self.cost, "pool")] if self.quantity else []


class Book:
    """One stretch of years under one method."""

    def __init__(self, method: str, per_account: bool):
        self.method, self.per_account, self.numbers, self.lost_fees = method, per_account, 0, ZERO
        self.pools: dict[tuple[str, str], Any] = {}
        self.days: dict[tuple[str, str], dict[date, list[Any]]] = defaultdict(dict)

    def key(self, asset: str, account: str) -> tuple[str, str]:
        return (asset, account if self.per_account else "")

    def pool(self, asset: str, account: str) -> Any:
        new = Average if self.method in ("average", "uk") else lambda: Ordered(self.method)
        key = self.key(asset, account)
        if key not in self.pools:
            self.pools[key] = new()
        return self.pools[key]

    def new(self, row: Row, quantity: Decimal, cost: Decimal) -> Part:
        self.numbers += 1
        return Part(row["time"], self.numbers, quantity, cost, "lot")

    def run(self, rows: list[Row]) -> Iterator[tuple[Row, list[Part]]]:
        rows = sorted(rows, key=canonical)
        early = self.look_ahead(rows) if self.method == "uk" else {}
        for row in rows:
            if row["kind"] in ("buy", "income"):
                self.acquire(row)
            elif row["kind"] == "transfer":
                self.move(row)
            else:
                parts, left = early.get(id(row), ([], row["quantity"]))
                if left:
                    more, missing = self.pool(row["asset"], row["account"]).take(left)
                    parts = [*parts, *more]
                    if missing:
                        parts.append(Part(None, 0, missing, ZERO, "missing"))
                yield row, parts

    def acquire(self, row: Row) -> None:
        pool = self.pool(row["asset"], row["account"])
        if self.method != "uk":
            pool.put(self.new(row, row["quantity"], row["value"] + row["fee"]))
            return
        day = self.days[self.key(row["asset"], row["account"])][london(row["time"])]
        if day[1]:
            pool.put(Part(None, 0, day[1], day[2], "pool"))
            day[1] = day[2] = ZERO

    def move(self, row: Row) -> None:
        if not (self.per_account or row["fee"]):
            return
        parts, missing = self.pool(row["asset"], row["account"]).take(row["quantity"])
        if missing and self.per_account:
            parts.append(self.new(row, missing, ZERO))
        if not parts:
            self.lost_fees += row["fee"]
        elif row["fee"]:
            parts[0].cost += row["fee"]
            parts[0].unit = SHARES.divide(parts[0].cost, parts[0].quantity)
        for part in parts:
            self.pool(row["asset"], row["to_account"]).put(part)

    def look_ahead(self, rows: list[Row]) -> dict[int, tuple[list[Part], Decimal]]:
        """The UK's same day and the 30 days after, before the pool."""
        for row in rows:
            if row["kind"] in ("buy", "income"):
                days = self.days[self.key(row["asset"], row["account"])]
                day = days.setdefault(london(row["time"]), [row["time"], ZERO, ZERO])
                day[1], day[2] = day[1] + row["quantity"], day[2] + row["value"] + row["fee"]
        found: dict[int, tuple[list[Part], Decimal]] = {}
        sales = [row for row in rows if row["kind"] in ("sell", "spend")]
        for rule in ("same_day", "thirty_days"):
            for row in sales:
                parts, left = found.get(id(row), ([], row["quantity"]))
                days = self.days[self.key(row["asset"], row["account"])]
                sold = london(row["time"])
                ahead = [sold] if rule == "same_day" else [sold + timedelta(n) for n in range(1, 31)]
                for each in ahead:
                    free = days.get(each)
                    if left and free and free[1]:
                        got = min(left, free[1])
                        cost = free[2] if got == free[1] else share(SHARES.divide(free[2], free[1]), got)
                        free[1], free[2], left = free[1] - got, free[2] - cost, left - got
                        parts = [*parts, Part(free[0], 0, got, cost, rule)]
                found[id(row)] = (parts, left)
        return found

    def rest(self) -> Iterator[Row]:
        for (asset, account), pool in sorted(self.pools.items()):
            for part in pool.rest():
                yield carried(asset, account, part.acquired or UNDATED, part.quantity, part.cost)


def canonical(row: Row) -> tuple[Any, ...]:
    names = ("asset", "account", "to_account", "kind", "quantity", "value", "fee")
    return (row["time"], RANK[row["kind"]], *(row[name] for name in names))


def carried(asset: str, account: str, time: datetime, quantity: Decimal, cost: Decimal) -> Row:
    return {
        "time": time, "kind": "buy", "asset": asset, "account": account, "to_account": "", "quantity": quantity,
        "value": cost, "fee": ZERO, "number": None,
    }  # fmt: skip


def movements() -> list[Row]:
    rows = []
    for row in table("movements"):
        amounts = {name: Decimal(row[f"{name}_usd"]) for name in ("value", "fee")}
        made: Row = {**row, **amounts, "quantity": Decimal(row["quantity"]), "time": when(row["time"])}
        made["number"] = int(row["number"])
        rows.append(made)
    return rows


def choices() -> list[tuple[str, bool, datetime]]:
    """Method, scope and first moment of each choice: 1 January, for the UK 6 April, where it is an hour ahead."""
    chosen = [(r["method"], r["per_account"] == "yes", int(r["since_year"])) for r in table("choices")]
    chosen.sort(key=lambda choice: choice[2])
    if not chosen or chosen[0][2] > 0:
        chosen.insert(0, ("fifo", False, 0))
    return [(method, scope, begin(method, year)) for method, scope, year in chosen]


def begin(method: str, year: int) -> datetime:
    if not year:
        return UNDATED
    return datetime(year, 4, 5, 23, tzinfo=UTC) if method == "uk" else datetime(year, 1, 1, tzinfo=UTC)


def year_of(time: datetime, chosen: list[tuple[str, bool, datetime]]) -> int:
    """The calendar's year, or under the UK's method the year in which the tax year began."""
    if [method for method, _, since in chosen if since <= time][-1] != "uk":
        return time.year
    day = london(time)
    return day.year if (day.month, day.day) >= (4, 6) else day.year - 1


def run_lots(rows: list[Row]) -> tuple[list[tuple[Row, Part]], list[Row], Decimal]:
    sold: list[tuple[Row, Part]] = []
    held: list[Row] = []
    lost = ZERO
    chosen = choices()
    spans = [c for n, c in enumerate(chosen) if n == 0 or c[:2] != chosen[n - 1][:2]]
    begun = max([when(manifest()["made_at"]) or UNDATED, *(row["time"] for row in rows)])
    spans = [span for span in spans if span[2] <= begun]
    was_per_account = True
    for n, (method, per_account, since) in enumerate(spans):
        until = spans[n + 1][2] if n + 1 < len(spans) else LATEST
        of_span = [row for row in rows if since <= row["time"] < until]
        if per_account and not was_per_account:
            held = deal(held, [row for row in rows if row["time"] < since])
        book = Book(method, per_account)
        opening = sorted(held, key=lambda row: row["time"])
        sold += [(row, part) for row, parts in book.run([*opening, *of_span]) for part in parts]
        held = list(book.rest())
        lost += book.lost_fees
        was_per_account = per_account
    return sold, held, lost


def deal(held: list[Row], before: list[Row]) -> list[Row]:
    """Lots of one pool to the accounts that hold them, the oldest first, by the accounts' names."""
    room: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    for row in before:
        inward = row["kind"] in ("buy", "income")
        room[row["asset"]][row["account"]] += row["quantity"] if inward else -row["quantity"]
        if row["kind"] == "transfer":
            room[row["asset"]][row["to_account"]] += row["quantity"]
    dealt = []
    for lot in sorted(held, key=lambda row: (row["asset"], row["time"])):
        rooms = room[lot["asset"]]
        for account in sorted(rooms):
            if rooms[account] > 0 and lot["quantity"]:
                got = min(lot["quantity"], rooms[account])
                whole = got == lot["quantity"]
                cost = lot["value"] if whole else (lot["value"] * got / lot["quantity"]).quantize(LAST_PLACE)
                rooms[account] -= got
                dealt.append({**lot, "account": account, "quantity": got, "value": cost})
                lot = {**lot, "quantity": lot["quantity"] - got, "value": lot["value"] - cost}
        if lot["quantity"]:
            dealt.append(lot)
    return dealt


def proceeds(row: Row, parts: list[Part]) -> list[Decimal]:
    """Shared by quantity; the last part takes the rest."""
    left = row["value"] - row["fee"]
    unit = SHARES.divide(left, row["quantity"])
    shares = []
    for part in parts[:-1]:
        shares.append(share(unit, part.quantity))
        left -= shares[-1]
    return [*shares, left]


def check_files() -> Iterator[str]:
    for name, digest in manifest()["files"].items():
        path = HERE / name
        if not path.is_file():
            yield f"{name} is missing"
        elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            yield f"{name} was changed"


def check_values(rows: list[Row]) -> Iterator[str]:
    prices = {(p["asset"], p["day"]): Decimal(p["price_usd"]) for p in table("prices")}
    for row in rows:
        if row["basis"] == "market":
            price = prices.get((row["asset"], row["time"].date().isoformat()), ZERO)
            if (row["quantity"] * price).quantize(LAST_PLACE, rounding=ROUND_HALF_EVEN) != row["value"]:
                yield f"movement {row['number']} is not quantity x price"


def check_lots(sold: list[tuple[Row, Part]], held: list[Row]) -> Iterator[str]:
    by_sale: dict[int, list[Part]] = defaultdict(list)
    sales: dict[int, Row] = {}
    for row, part in sold:
        by_sale[row["number"]].append(part)
        sales[row["number"]] = row
    mine: list[tuple[Any, ...]] = []
    for n, parts in by_sale.items():
        for part, got in zip(parts, proceeds(sales[n], parts)):  # noqa: B905
            acquired = part.acquired if part.acquired != UNDATED else None
            mine.append((n, acquired, part.quantity, got, part.cost, part.match))
    theirs = [
        (
            int(d["movement"]), when(d["acquired"]), Decimal(d["quantity"]), Decimal(d["proceeds_usd"]),
            Decimal(d["cost_usd"]), d["match"],
        )
        for d in table("disposals")
    ]  # fmt: skip
    if sorted(mine, key=ordered) != sorted(theirs, key=ordered):
        yield f"the disposals differ ({len(mine)} found again, {len(theirs)} in the file)"
    again = sorted((r["asset"], r["account"], r["time"], r["quantity"], r["value"]) for r in held)
    told = sorted(
        (
            r["asset"],
            r["account"],
            when(r["acquired"]) or UNDATED,
            Decimal(r["quantity"]),
            Decimal(r["cost_usd"]),
        )
        for r in table("lots")
    )
    if again != told:
        yield f"the open lots differ ({len(again)} found again, {len(told)} in the file)"


def ordered(part: tuple[Any, ...]) -> tuple[Any, ...]:
    return (part[0], part[1] or UNDATED, *part[2:])


def check_totals(rows: list[Row]) -> Iterator[str]:
    names = ("quantity", "proceeds_usd", "cost_usd", "gain_usd", "short_usd", "long_usd", "undated_usd")
    mine: dict[tuple[str, str, str], dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(names, ZERO))
    chosen = choices()
    for d in table("disposals"):
        reason = rows[int(d["movement"])]["reason"]
        year = year_of(when(d["disposed"]) or UNDATED, chosen)
        total = mine[str(year), d["asset"], "spent" if reason == "income" else reason]
        gain = Decimal(d["proceeds_usd"]) - Decimal(d["cost_usd"])
        if gain != Decimal(d["gain_usd"]):
            yield f"a gain of movement {d['movement']} is not proceeds less cost"
        for name in names[:3]:
            total[name] += Decimal(d[name])
        total["gain_usd"] += gain
        total[{"short": "short_usd", "long": "long_usd"}.get(d["term"], "undated_usd")] += gain
    for row in table("income"):
        total = mine[str(year_of(when(row["time"]) or UNDATED, chosen)), row["asset"], "income"]
        total["quantity"] += Decimal(row["quantity"])
        total["proceeds_usd"] += Decimal(row["value_usd"])
    theirs = {
        (t["year"], t["asset"], t["reason"]): {name: Decimal(t[name]) for name in names}
        for t in table("totals")
    }
    if mine != theirs:
        wrong = sorted(k for k in mine.keys() | theirs.keys() if mine.get(k) != theirs.get(k))
        yield f"the totals differ: {', '.join(' '.join(key) for key in wrong)}"


def check_balance(rows: list[Row], lost: Decimal) -> Iterator[str]:
    """Nothing appeared or was lost, neither units nor dollars."""
    units: dict[str, Decimal] = defaultdict(lambda: ZERO)
    dollars = -lost
    for row in rows:
        inward = row["kind"] in ("buy", "income")
        if row["kind"] != "transfer":
            units[row["asset"]] += row["quantity"] if inward else -row["quantity"]
        if inward:
            dollars += row["value"]
        if inward or row["kind"] == "transfer":
            dollars += row["fee"]
    for d in table("disposals"):
        dollars -= Decimal(d["cost_usd"])
        units[d["asset"]] += Decimal(d["quantity"]) if d["match"] == "missing" else ZERO
    for lot in table("lots"):
        dollars -= Decimal(lot["cost_usd"])
        units[lot["asset"]] -= Decimal(lot["quantity"])
    moved_short = {p["asset"] for p in table("problems") if p["code"] == "short"}
    for asset, left in units.items():
        if left and asset not in moved_short:
            yield f"{left} {asset} appeared or went missing"
    if dollars:
        yield f"{dollars} USD of cost appeared or went missing"


def check_ledger(rows: list[Row]) -> Iterator[str]:
    """Each completed row that moves more than money is a movement, or there is a reason why not."""
    explained = {row["source"] for row in rows}
    money = set(manifest()["money"])
    explained |= {p["source"] for p in table("problems") if p["code"] == "too_large"}
    explained |= {t["incoming"] for t in table("transfers") if t["state"] == "confirmed"}
    explained |= {
        c["source"] for c in table("corrections") if c["treatment"] == "ignored" and not c["undone_at"]
    }
    halves = {"conversion", "issue", "redeem", "trade"}
    for row in table("ledger"):
        counts = row["status"] == "completed" and row["asset"] not in money and Decimal(row["amount"])
        if counts and row["source"] not in explained and row["kind"] not in halves:
            yield f"the ledger's row {row['source']} is in no movement"


def check_proofs() -> Iterator[str]:
    for p in table("proofs"):
        told = Decimal(p["opening"]) + Decimal(p["postings"]) + Decimal(p["residual"])
        if told != Decimal(p["closing"]):
            yield f"the proof of {p['asset']} at {p['connection']} until {p['end']} does not add up"


def main() -> int:
    setcontext(Context(prec=100))
    rows = movements()
    sold, held, lost = run_lots(rows)
    checks = {
        "files as they were made": check_files(),
        "values at the prices of their days": check_values(rows),
        "disposals and open lots": check_lots(sold, held),
        "totals": check_totals(rows),
        "nothing appeared, nothing lost": check_balance(rows, lost),
        "the ledger is complete in the movements": check_ledger(rows),
        "proofs add up": check_proofs(),
    }
    is_equal = True
    for name, wrong in checks.items():
        found = list(wrong)
        is_equal = is_equal and not found
        sys.stdout.write(f"{'NOT EQUAL' if found else 'equal':9}  {name}\n")
        for text in found[:20]:
            sys.stdout.write(f"           {text}\n")
    gains: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for total in table("totals"):
        if total["reason"] != "income":
            gains[total["year"]] += Decimal(total["gain_usd"])
    for year in sorted(gains):
        sys.stdout.write(f"           {year}: realised {gains[year]:f} USD\n")
    sys.stdout.write("EQUAL\n" if is_equal else "NOT EQUAL\n")
    return 0 if is_equal else 1


if __name__ == "__main__":
    sys.exit(main())
