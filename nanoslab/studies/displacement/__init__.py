"""How hard an atom must be struck to leave: dynamic displacement thresholds by site and direction."""
