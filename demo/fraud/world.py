"""The cards, merchants and cities of the simulated world, and honest payments."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demo.fraud.payments import Floats, Integers, Payments

CATEGORIES = (
    "grocery",
    "fuel",
    "restaurant",
    "pharmacy",
    "fashion",
    "electronics",
    "travel",
    "games",
)
CITIES = 24
DAY = 86_400

# Usual amounts, popularity and share of online merchants, in the order of CATEGORIES.
_PRICE = np.array([38.0, 45.0, 28.0, 18.0, 60.0, 140.0, 220.0, 9.0])
_POPULARITY = np.array([0.27, 0.12, 0.22, 0.08, 0.10, 0.08, 0.04, 0.09])
_ONLINE = np.array([0.05, 0.0, 0.05, 0.1, 0.4, 0.5, 0.6, 0.95])
# Payments by hour of the day: few at night, most around noon and in the evening.
_HOURS = np.array(
    [2, 1, 1, 1, 1, 2, 4, 8, 10, 10, 11, 13, 15, 13, 11, 11, 12, 14, 16, 15, 11, 8, 5, 3]
)
_ONLINE_SHARE = 0.33
_TRAVEL_SHARE = 1 / 12
_BURST_SHARE = 0.004


@dataclass(frozen=True)
class World:
    """The cards and the merchants, each by its number.

    Args:
        home: The city of each card in each week. In some weeks its owner travels.
        pace: Each card's share of all payments.
        purse: The factor of each card's amounts.
        category: The category of each merchant, as a position in `CATEGORIES`.
        online: Whether each merchant sells online.
        city: The city of each merchant.
        latitude: The latitude of each merchant.
        longitude: The longitude of each merchant.
        popularity: Each merchant's share of the payments, compared with similar merchants.
        days: The length of the simulation in days.
    """

    home: Integers
    pace: Floats
    purse: Floats
    category: Integers
    online: npt.NDArray[np.bool_]
    city: Integers
    latitude: Floats
    longitude: Floats
    popularity: Floats
    days: int

    def pick_merchants(
        self, rng: np.random.Generator, among: npt.NDArray[np.bool_], count: int
    ) -> Integers:
        """Return ``count`` merchants, popular ones more often."""
        weights = self.popularity * among
        return rng.choice(len(weights), count, p=weights / weights.sum())


def make_world(rng: np.random.Generator, cards: int, merchants: int, days: int) -> World:
    """Return a world with these numbers of cards and merchants."""
    city_latitude, city_longitude = rng.uniform(37, 55, CITIES), rng.uniform(-8, 24, CITIES)
    category = rng.choice(len(CATEGORIES), merchants, p=_POPULARITY)
    online = rng.random(merchants) < _ONLINE[category]
    # Every city has shops, and some merchants sell online, even if there are few merchants.
    city = np.arange(merchants) % CITIES
    online[:CITIES], online[CITIES : CITIES + 4] = False, True
    pace = rng.gamma(2.0, 1.0, cards)
    return World(
        home=_whereabouts(rng, cards, days),
        pace=pace / pace.sum(),
        purse=np.exp(rng.normal(0, 0.35, cards)),
        category=category,
        online=online,
        city=city,
        latitude=city_latitude[city] + rng.normal(0, 0.05, merchants),
        longitude=city_longitude[city] + rng.normal(0, 0.05, merchants),
        popularity=rng.pareto(2.5, merchants) + 0.2,
        days=days,
    )


def honest_payments(rng: np.random.Generator, world: World, count: int) -> Payments:
    """Return ``count`` honest payments, some of them in short bursts of small amounts."""
    in_bursts = int(count * _BURST_SHARE) * 4
    usual = count - in_bursts
    card = rng.choice(len(world.pace), usual, p=world.pace)
    second = _moments(rng, world.days, usual)
    merchant = _shops(rng, world, card, second)
    amount = amounts(rng, world, card, merchant)
    return Payments.concatenate(
        Payments.of(card, merchant, second, amount, "honest"),
        _bursts(rng, world, in_bursts // 4),
    )


def amounts(rng: np.random.Generator, world: World, card: Integers, merchant: Integers) -> Floats:
    """Return the usual amounts of these cards at these merchants."""
    usual = _PRICE[world.category[merchant]] * world.purse[card]
    return np.maximum(0.5, usual * np.exp(rng.normal(0, 0.55, len(card))))


def _whereabouts(rng: np.random.Generator, cards: int, days: int) -> Integers:
    weeks = days // 7 + 2
    home = np.repeat(rng.integers(0, CITIES, cards)[:, None], weeks, axis=1)
    away = rng.random((cards, weeks)) < _TRAVEL_SHARE
    return np.where(away, rng.integers(0, CITIES, (cards, weeks)), home)


def _moments(rng: np.random.Generator, days: int, count: int) -> Floats:
    day = rng.integers(0, days, count)
    hour = rng.choice(24, count, p=_HOURS / _HOURS.sum())
    return day * DAY + hour * 3_600 + rng.uniform(0, 3_600, count)


def _shops(rng: np.random.Generator, world: World, card: Integers, second: Floats) -> Integers:
    online = rng.random(len(card)) < _ONLINE_SHARE
    city = world.home[card, (second // (7 * DAY)).astype(np.int64)]
    merchant = world.pick_merchants(rng, world.online, len(card))
    for each_city in range(CITIES):
        there = ~online & (city == each_city)
        shops = ~world.online & (world.city == each_city)
        merchant[there] = world.pick_merchants(rng, shops, int(there.sum()))
    return merchant


def _bursts(rng: np.random.Generator, world: World, count: int) -> Payments:
    card = rng.choice(len(world.pace), count, p=world.pace)
    first = _moments(rng, world.days, count)
    second = np.minimum(first[:, None] + rng.uniform(20, 600, (count, 4)), world.days * DAY - 1)
    merchant = world.pick_merchants(rng, world.online, count)
    return Payments.of(
        np.repeat(card, 4),
        np.repeat(merchant, 4),
        second.ravel(),
        rng.uniform(0.5, 9, count * 4),
        "honest",
    )
