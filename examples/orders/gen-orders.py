#!/usr/bin/env python3
"""Makes orders.json: a day of orders at a wholesaler of office supplies, always the same ones.

    examples/orders/gen-orders.py > examples/orders/orders.json

Three of the orders are bad, each in its own way, so that the price component has something to refuse.
"""

import json
import random

SEED = 20260401
ORDERS = 420

# What the price component's catalogue knows, and how many pieces of it a customer usually takes.
PRODUCTS = {
    "PAPER-A4": (200, 18000),
    "PAPER-A3": (50, 4000),
    "PEN-BLUE": (100, 9000),
    "PEN-GREEN": (20, 1500),
    "MARKER-SET": (10, 900),
    "STAPLER": (1, 120),
    "STAPLES": (50, 6000),
    "FOLDER": (50, 5000),
    "ENVELOPE-C5": (500, 20000),
    "NOTEBOOK": (10, 2500),
    "CHAIR": (1, 60),
    "DESK-LAMP": (1, 150),
}

REGIONS = {
    "EU": ("EUR", ["Nordwind GmbH", "Atelier Lumen", "Kontor Achtzehn", "Bakker & Zn.", "Studio Faro", "Ostrava Tisk"]),
    "UK": ("GBP", ["Harrow & Pike", "Bramble Press", "Tidewater Schools", "Ludlow Legal"]),
    "NA": ("USD", ["Maple Street Labs", "Cedar Unified", "Prairie Freight", "Hudson Clinics", "Bluebonnet Books"]),
    "APAC": ("JPY", ["Sakura Shoji", "Harbour City Offices", "Minato Design", "Kowhai Trust"]),
}

# What a customer may owe, in hundredths of a euro, whatever the currency of the order.
CREDIT = [400_000, 1_000_000, 2_500_000]


def main():
    dice = random.Random(SEED)
    customers = []
    for region, (currency, names) in REGIONS.items():
        for name in names:
            number = f"C-{1000 + len(customers)}"
            customers.append((region, currency, {"id": number, "name": name, "creditCents": CREDIT[len(customers) % 3]}))

    orders = []
    for number in range(1, ORDERS + 1):
        region, currency, customer = dice.choice(customers)
        lines = []
        for sku in dice.sample(sorted(PRODUCTS), dice.randint(1, 4)):
            least, most = PRODUCTS[sku]
            # Small orders are frequent, large ones rare.
            quantity = least + int((most - least) * dice.random() ** 4)
            lines.append({"sku": sku, "quantity": quantity})
        order = {
            "id": f"O-{number:04}",
            "placedAt": f"2026-04-01T{dice.randint(6, 19):02}:{dice.randint(0, 59):02}:00Z",
            "region": region,
            "currency": currency,
            # Credit is checked by the component, and generously here: only the order below exceeds it.
            "customer": {**customer, "creditCents": customer["creditCents"] * 8},
            "lines": lines,
        }
        if dice.random() < 0.2:
            order["coupon"] = dice.choice(["SPRING5", "BULK10"])
        orders.append(order)

    # The bad ones.
    orders[16]["lines"].append({"sku": "TYPEWRITER", "quantity": 3})
    orders[203]["coupon"] = "EVERYTHING-FREE"
    orders[371]["lines"] = [{"sku": "CHAIR", "quantity": 4000}]

    stock = {"Hamburg": {}, "Memphis": {}, "Osaka": {}}
    demand = {sku: 0 for sku in PRODUCTS}
    for order in orders:
        for line in order["lines"]:
            if line["sku"] in demand:
                demand[line["sku"]] += line["quantity"]
    for sku, pieces in demand.items():
        # Enough of most, and too little of some.
        there = int(pieces * dice.choice([0.94, 1.2, 1.3, 1.5, 1.8, 2.1]))
        shares = [dice.random() for _ in stock]
        for warehouse, share in zip(stock, shares):
            stock[warehouse][sku] = int(there * share / sum(shares))

    # One order a line: a diff shows which changed, and a person finds one.
    print('{\n  "stock": {')
    print(",\n".join(f"    {json.dumps(place)}: {json.dumps(pieces)}" for place, pieces in stock.items()))
    print('  },\n  "orders": [')
    print(",\n".join("    " + json.dumps(order) for order in orders))
    print("  ]\n}")


if __name__ == "__main__":
    main()
