"""Which atoms of a structure leave: what each costs, which way is free, what a dose leaves behind."""
