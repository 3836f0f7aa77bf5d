"""PostgreSQL: the pool, the embedded server, migrations. Only this package imports psycopg2."""
