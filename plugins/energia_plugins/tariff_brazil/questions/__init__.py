"""What Brazilians ask beyond a price: pure functions, and answers with tables and plots."""
