from .diffusion import Front, Profiles, darken, exchange_front, interdiffuse
from .fits import RateFit, fit_rates
from .hollowing import Hollowing, Reacting, hollow
from .lattice_walk import ExchangeRates, LatticeWalk, walk_exchange
from .rates import ArrheniusFit, arrhenius_rate, fit_arrhenius, harmonic_prefactor
from .reactions import Course, Reaction, growth_chain, isomer_fraction, solve_reactions

__all__ = [
    "ArrheniusFit",
    "Course",
    "ExchangeRates",
    "Front",
    "Hollowing",
    "LatticeWalk",
    "Profiles",
    "RateFit",
    "Reacting",
    "Reaction",
    "arrhenius_rate",
    "darken",
    "exchange_front",
    "fit_arrhenius",
    "fit_rates",
    "growth_chain",
    "harmonic_prefactor",
    "hollow",
    "interdiffuse",
    "isomer_fraction",
    "solve_reactions",
    "walk_exchange",
]
