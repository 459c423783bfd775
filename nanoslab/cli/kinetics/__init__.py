"""Commands about rates: barriers, exchange by diffusion, growth."""
