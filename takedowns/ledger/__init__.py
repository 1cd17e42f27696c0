"""What a bureau answers for: tables, migrations, sessions and the audit chain."""
