"""Edge out: PostgreSQL. Tables built from schemas, bulk read and write, migrations, the embedded server."""
