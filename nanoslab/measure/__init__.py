"""Everything measured on a structure: sheets, environments, diffraction, necks."""
