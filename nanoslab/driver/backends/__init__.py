"""The engines that take a calculation to a node, each behind one file and one extra."""
