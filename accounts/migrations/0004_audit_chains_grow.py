"""The ends of the audit chains only ever move on, one entry at a time."""

from django.db import migrations

ONLY_GROWS = """
CREATE FUNCTION audit_chain_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.chain = OLD.chain AND NEW.length = OLD.length + 1 THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only: % refused', lower(TG_OP)
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_chain_only_grows BEFORE UPDATE OR DELETE ON accounts_auditchain
    FOR EACH ROW EXECUTE FUNCTION audit_chain_only_grows();
CREATE TRIGGER audit_chains_are_not_emptied BEFORE TRUNCATE ON accounts_auditchain
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
"""
BACK = """
DROP TRIGGER audit_chains_are_not_emptied ON accounts_auditchain;
DROP FUNCTION audit_chain_only_grows CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_audit")]
    operations = [
        migrations.AlterModelOptions(
            "auditentry",
            {"ordering": ["chain", "-number"], "verbose_name_plural": "audit entries"},
        ),
        migrations.RunSQL(ONLY_GROWS, BACK),
    ]
