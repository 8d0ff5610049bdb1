"""How fast a pipeline trains: warm, device-synchronised, two sides in turns."""
