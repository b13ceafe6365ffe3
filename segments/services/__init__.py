"""Write segments: save, rebuild, override, export."""
