"""Lists of holidays: expanded once, stored in versions, copied into tariffs that name them."""
