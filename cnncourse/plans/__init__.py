"""Plans that ship with the course: TOML files that ``cnncourse study`` runs by their name."""
