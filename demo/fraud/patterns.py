"""The frauds among honest payments, a function for each pattern; see `demo.fraud.simulator`."""

import numpy as np

from demo.fraud.payments import Floats, Integers, Payments
from demo.fraud.world import CITIES, DAY, World, amounts

PATTERNS = ("testing", "collusion", "jump", "spree")

# Attacks per 1,000 honest payments.
_TESTING_ATTACKS = 0.6
_COLLUDING_PAYMENTS = 4.5
_JUMPS = 2.0
_SPREES = 2.0
_COLLUSION_DAYS = 45
# One colluding merchant for this many payments of that pattern.
_PAYMENTS_PER_COLLUDER = 60


def add_frauds(rng: np.random.Generator, world: World, honest: Payments) -> Payments:
    """Return the honest payments and frauds of each pattern."""
    thousands = len(honest.second) / 1_000
    frauds = Payments.concatenate(
        _testing(rng, world, max(1, round(thousands * _TESTING_ATTACKS))),
        _collusion(rng, world, max(1, round(thousands * _COLLUDING_PAYMENTS))),
        _jumps(rng, world, honest, max(1, round(thousands * _JUMPS))),
        _sprees(rng, world, max(1, round(thousands * _SPREES))),
    )
    return Payments.concatenate(honest, frauds.take(frauds.second < world.days * DAY))


def _testing(rng: np.random.Generator, world: World, attacks: int) -> Payments:
    tries, purchases = rng.integers(4, 10, attacks), rng.integers(0, 4, attacks)
    card = rng.integers(0, len(world.pace), attacks)
    start = rng.uniform(0, world.days * DAY, attacks)
    tests = np.repeat(np.arange(attacks), tries)
    hauls = np.repeat(np.arange(attacks), purchases)
    test_times = start[tests] + rng.uniform(0, 600, len(tests))
    haul_times = start[hauls] + rng.uniform(600, 3_600, len(hauls))
    attack = np.concatenate([tests, hauls])
    return Payments.of(
        card[attack],
        world.pick_merchants(rng, world.online, len(attack)),
        np.concatenate([test_times, haul_times]),
        np.concatenate([rng.uniform(0.5, 3, len(tests)), rng.uniform(90, 700, len(hauls))]),
        "testing",
    )


def _collusion(rng: np.random.Generator, world: World, count: int) -> Payments:
    colluders = rng.choice(len(world.city), max(1, count // _PAYMENTS_PER_COLLUDER), replace=False)
    begins = rng.uniform(0, world.days - _COLLUSION_DAYS / 2, len(colluders)) * DAY
    which = rng.integers(0, len(colluders), count)
    card = rng.integers(0, len(world.pace), count)
    merchant = colluders[which]
    second = begins[which] + rng.uniform(0, _COLLUSION_DAYS * DAY, count)
    return Payments.of(card, merchant, second, amounts(rng, world, card, merchant), "collusion")


def _jumps(rng: np.random.Generator, world: World, honest: Payments, count: int) -> Payments:
    at_terminals = np.flatnonzero(~world.online[honest.merchant])
    before = honest.take(rng.choice(at_terminals, count))
    here = world.city[before.merchant]
    there = (here + rng.integers(1, CITIES, count)) % CITIES
    merchant = _terminals(rng, world, there)
    amount = amounts(rng, world, before.card, merchant) * rng.uniform(1, 2.5, count)
    second = before.second + rng.uniform(600, 5_400, count)
    return Payments.of(before.card, merchant, second, amount, "jump")


def _sprees(rng: np.random.Generator, world: World, count: int) -> Payments:
    card = rng.integers(0, len(world.pace), count)
    merchant = world.pick_merchants(rng, world.online, count)
    amount: Floats = amounts(rng, world, card, merchant) * rng.uniform(4, 9, count)
    return Payments.of(card, merchant, rng.uniform(0, world.days * DAY, count), amount, "spree")


def _terminals(rng: np.random.Generator, world: World, city: Integers) -> Integers:
    merchant = np.empty(len(city), dtype=np.int64)
    for each_city in range(CITIES):
        there = city == each_city
        shops = ~world.online & (world.city == each_city)
        merchant[there] = world.pick_merchants(rng, shops, int(there.sum()))
    return merchant
