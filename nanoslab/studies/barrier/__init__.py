"""How an atom, or a whole layer, gets from one minimum to another: barriers, their saddles and rates."""
