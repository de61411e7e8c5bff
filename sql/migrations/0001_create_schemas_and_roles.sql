-- Why: one writer a schema, as a fact of the server rather than a habit of the code; and no role can take every
-- connection, hold a lock for ever or run a statement without end.
--
-- The login that migrates needs: to own the database (or CREATE on it and on schema public), and CREATEROLE. It need
-- not be superuser. Roles belong to the whole server: where the roles were made by another owner, on Postgres 16 or
-- newer, a superuser first grants them, `GRANT lowcap_regime, lowcap_learning, lowcap_pm, lowcap_console TO owner`.
-- The same login must run later migrations too: default privileges follow it. Roles have no password: with password
-- authentication nobody can log in as one of them until a password is set; the owner takes them up by SET ROLE.
-- PUBLIC needs CONNECT and TEMPORARY on the database, which it has unless they were revoked.

CREATE SCHEMA IF NOT EXISTS regime;
CREATE SCHEMA IF NOT EXISTS pm;
CREATE SCHEMA IF NOT EXISTS learning;
COMMENT ON SCHEMA regime IS 'Market regime: bars, drivers, states and scores. Written by the regime assets only.';
COMMENT ON SCHEMA pm IS 'Portfolio: positions, ticks, decisions and orders. Written by the runtime only.';
COMMENT ON SCHEMA learning IS 'Lessons from closed trades, and overrides. Written by the learning assets only.';

-- A second database of the same server may be doing the same at this moment: its uncommitted roles are waited for,
-- then found to exist (unique_violation), or found changed (internal_error, "tuple concurrently updated").
DO $$
DECLARE
    wanted record;
    found record;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('lowcap_regime', 30, '300s', '30s', '120s'),
            ('lowcap_learning', 15, '600s', '30s', '300s'),
            ('lowcap_pm', 8, '15s', '5s', '30s'),
            ('lowcap_console', 12, '15s', '2s', '30s')
        ) AS limits (role, connections, statement_timeout, lock_timeout, idle_timeout)
    LOOP
        FOR attempt IN 1..50 LOOP
            BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.role) THEN
                    EXECUTE format('CREATE ROLE %I LOGIN', wanted.role);
                END IF;
                SELECT rolconnlimit, coalesce(rolconfig, '{}') AS settings INTO found
                FROM pg_roles WHERE rolname = wanted.role;
                IF found.rolconnlimit <> wanted.connections OR NOT found.settings @> ARRAY[
                    'statement_timeout=' || wanted.statement_timeout,
                    'lock_timeout=' || wanted.lock_timeout,
                    'idle_in_transaction_session_timeout=' || wanted.idle_timeout,
                    'search_path=regime, pm, learning, public',
                    'TimeZone=UTC'
                ] THEN
                    EXECUTE format('ALTER ROLE %I CONNECTION LIMIT %s', wanted.role, wanted.connections);
                    EXECUTE format('ALTER ROLE %I SET statement_timeout = %L', wanted.role, wanted.statement_timeout);
                    EXECUTE format('ALTER ROLE %I SET lock_timeout = %L', wanted.role, wanted.lock_timeout);
                    EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = %L',
                                   wanted.role, wanted.idle_timeout);
                    EXECUTE format('ALTER ROLE %I SET search_path = regime, pm, learning, public', wanted.role);
                    EXECUTE format('ALTER ROLE %I SET TimeZone = %L', wanted.role, 'UTC');
                END IF;
                EXIT;
            EXCEPTION
                WHEN duplicate_object OR unique_violation OR internal_error THEN
                    IF attempt = 50 THEN
                        RAISE;
                    END IF;
                    PERFORM pg_sleep(0.1);
            END;
        END LOOP;
    END LOOP;
END
$$;

-- The owner takes up a role by SET ROLE, for which it must be a member; a superuser need not be. From Postgres 16 the
-- maker of a role is its administrator without being a member.
DO $$
DECLARE
    role_name text;
BEGIN
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        RETURN;
    END IF;
    FOREACH role_name IN ARRAY ARRAY['lowcap_regime', 'lowcap_learning', 'lowcap_pm', 'lowcap_console'] LOOP
        BEGIN
            EXECUTE format('SET LOCAL ROLE %I', role_name);
            RESET ROLE;
        EXCEPTION WHEN insufficient_privilege THEN
            BEGIN
                EXECUTE format('GRANT %I TO %I', role_name, session_user);
            EXCEPTION WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'User % may not take up the role %, which somebody else made', session_user, role_name
                    USING ERRCODE = 'insufficient_privilege', HINT = format('As superuser: GRANT lowcap_regime, '
                        'lowcap_learning, lowcap_pm, lowcap_console TO %I', session_user);
            END;
        END;
    END LOOP;
END
$$;

GRANT USAGE ON SCHEMA regime, pm, learning TO lowcap_regime, lowcap_learning, lowcap_pm, lowcap_console;

ALTER DEFAULT PRIVILEGES IN SCHEMA regime, pm, learning
    GRANT SELECT ON TABLES TO lowcap_regime, lowcap_learning, lowcap_pm, lowcap_console;
ALTER DEFAULT PRIVILEGES IN SCHEMA regime GRANT INSERT, UPDATE, DELETE ON TABLES TO lowcap_regime;
ALTER DEFAULT PRIVILEGES IN SCHEMA regime GRANT USAGE, SELECT ON SEQUENCES TO lowcap_regime;
ALTER DEFAULT PRIVILEGES IN SCHEMA pm GRANT INSERT, UPDATE, DELETE ON TABLES TO lowcap_pm;
ALTER DEFAULT PRIVILEGES IN SCHEMA pm GRANT USAGE, SELECT ON SEQUENCES TO lowcap_pm;
ALTER DEFAULT PRIVILEGES IN SCHEMA learning GRANT INSERT, UPDATE, DELETE ON TABLES TO lowcap_learning;
ALTER DEFAULT PRIVILEGES IN SCHEMA learning GRANT USAGE, SELECT ON SEQUENCES TO lowcap_learning;
