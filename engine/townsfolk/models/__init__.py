"""Everything that can speak a line, behind one interface: see base.py."""
