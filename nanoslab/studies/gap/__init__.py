"""Two facets with or without ligands between them: their energy against the gap."""
