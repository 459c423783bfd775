"""Numbers of others, each with its source: elements, and the energies that atoms take to leave."""
