"""What the commands of `vidgan.cli` do. Heavy imports happen inside them, so that `--help` answers at once."""
