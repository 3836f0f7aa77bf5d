"""Sites, meters and contracts as a person makes and changes them."""
