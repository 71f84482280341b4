"""Student's t distribution from the standard library alone.

The distribution function is the regularised incomplete beta function, evaluated by its continued fraction (Lentz's
method; Numerical Recipes 6.4). The tests hold it against printed tables.
"""

import math
from functools import lru_cache
from statistics import NormalDist

_TINY = 1e-300
_STEPS = 300


def t_tail(t: float, degrees: float) -> float:
    """P(T > t) for `degrees` degrees of freedom."""
    if degrees > 1e6:
        return 1 - NormalDist().cdf(t)
    half = 0.5 * _beta(degrees / (degrees + t * t), degrees / 2, 0.5)
    return half if t >= 0 else 1 - half


@lru_cache(maxsize=1024)
def t_quantile(probability: float, degrees: float) -> float:
    """The t with P(T <= t) = `probability`, by bisection."""
    if not 0 < probability < 1:
        raise ValueError("a probability lies between 0 and 1")
    if probability < 0.5:
        return -t_quantile(1 - probability, degrees)
    low, high = 0.0, 1.0
    while t_tail(high, degrees) > 1 - probability and high < 1e12:
        low, high = high, high * 2
    for _ in range(100):
        middle = (low + high) / 2
        if t_tail(middle, degrees) > 1 - probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beta(x: float, a: float, b: float) -> float:
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    result = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d, c = 1 / _away(1 + even * d), _away(1 + even / c)
        result *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d, c = 1 / _away(1 + odd * d), _away(1 + odd / c)
        step = d * c
        result *= step
        if abs(step - 1) < 1e-13:
            break
    return result


def _away(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
