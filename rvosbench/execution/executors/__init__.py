"""Who does units of work: processes of this machine."""
