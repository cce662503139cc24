"""The commands `rvosbench sola ...`, mounted through the entry point `rvosbench.commands`."""
