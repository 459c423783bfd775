"""Before the session: doses, heating, the highest safe voltage, which mechanism explains a loss."""
