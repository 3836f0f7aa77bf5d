"""Bills as a person reads them: their lines, why each is what it is, taxes, differences."""
