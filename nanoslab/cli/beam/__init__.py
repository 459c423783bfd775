"""What the commands about the beam share: options, quantities, headers of microscopes, plots."""
