"""lib/migrate.c in a built program: build/alicerce-worker, or the one that BIN names. Without one there is
nothing to test here (make builds it)."""
import hashlib
import os
import signal
import subprocess
import time

from cluster import FILES, ROOT

BIN = os.environ.get("BIN", os.path.join(ROOT, "build", "alicerce-worker"))
LOCK = "7020101794788434789"


def program(url):
    return subprocess.Popen([BIN, "--migrate"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={"PATH": os.environ["PATH"], "DATABASE_URL": url})


def migrate(url):
    """Exit code, and all that it said."""
    process = program(url)
    out, err = process.communicate(timeout=30)
    return process.returncode, out + err


def built(test):
    def either(t):
        if os.access(BIN, os.X_OK):
            test(t)
        else:
            print(f"       {BIN} is not built")
    either.__name__ = test.__name__
    return either


def empty(t, options=""):
    t.made += 1
    t.sql("postgres", f"CREATE DATABASE vazia_{t.made} {options}")
    return f"vazia_{t.made}"


def applied(t, database):
    return [line.split("|") for line in t.sql(database, "SELECT nome, sha256 FROM migracoes ORDER BY nome").split("\n")]


@built
def test_six_programs_at_once(t):
    database = empty(t)
    processes = [program(t.server.url(database)) for _ in range(6)]
    said = [(p.communicate(timeout=60), p.returncode) for p in processes]
    assert all(code == 0 for _, code in said), said
    rows = applied(t, database)
    assert [name for name, _ in rows] == [os.path.basename(f)[:-len(".sql")] for f in FILES]
    for (name, digest), path in zip(rows, FILES):
        with open(path, "rb") as f:
            assert digest == hashlib.sha256(f.read()).hexdigest(), f"{name}: is the program older than sql/?"
    assert t.sql(database, "SELECT count(*) FROM posts") == "3"


@built
def test_newer_rows_are_none_of_its_business(t):
    database = empty(t)
    migrate(t.server.url(database))
    t.sql(database, "INSERT INTO migracoes VALUES ('9999_do_futuro', 'x')")
    code, said = migrate(t.server.url(database))
    assert code == 0, said


@built
def test_changed_file_is_named(t):
    database = empty(t)
    migrate(t.server.url(database))
    t.sql(database, "UPDATE migracoes SET sha256 = 'abc' WHERE nome = '0002_busca';"
                    "DELETE FROM migracoes WHERE nome > '0003'; DROP TABLE leads, eventos, entregas CASCADE")
    code, said = migrate(t.server.url(database))
    assert code == 65 and "0002_busca" in said, (code, said)
    assert t.sql(database, "SELECT to_regclass('leads') IS NULL") == "t", "it went on"


@built
def test_failing_file_is_named_and_leaves_nothing(t):
    database = empty(t)
    t.sql(database, "CREATE TABLE leads ()")
    code, said = migrate(t.server.url(database))
    assert code not in (0, 65) and "0004_entregas" in said and "leads" in said, (code, said)
    assert len(applied(t, database)) == 3
    assert t.sql(database, "SELECT to_regclass('entregas') IS NULL") == "t"
    t.sql(database, "DROP TABLE leads")
    assert migrate(t.server.url(database))[0] == 0


@built
def test_another_schema_and_the_limits_of_a_role(t):
    database = empty(t)
    t.sql(database, f'CREATE SCHEMA "meu app"; ALTER DATABASE {database} SET search_path = "meu app", public;'
                    f"ALTER DATABASE {database} SET statement_timeout = '1ms';"
                    f"ALTER DATABASE {database} SET default_transaction_isolation = 'serializable'")
    code, said = migrate(t.server.url(database))
    assert code == 0, said
    assert t.sql(database, "SET statement_timeout = 0; SELECT DISTINCT schemaname FROM pg_tables"
                           " WHERE tablename IN ('posts', 'migracoes', 'leads')") == "meu app"


@built
def test_another_encoding_is_refused(t):
    database = empty(t, "TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
    code, said = migrate(t.server.url(database))
    assert code not in (0, 65) and "LATIN1" in said, (code, said)
    assert t.sql(database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == "0"


@built
def test_stop_while_another_holds_the_lock(t):
    database = empty(t)
    with t.session(database) as holder:
        holder.ask(f"SELECT pg_advisory_lock({LOCK})")
        process = program(t.server.url(database))
        time.sleep(1)
        assert process.poll() is None, process.communicate()
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)
        assert time.monotonic() - begun < 2
    assert t.sql(database, "SELECT to_regclass('posts') IS NULL") == "t"


@built
def test_passwords_are_never_told(t):
    for url in ("postgresql://u:segredo@127.0.0.1:1/x", "postgres:/u:segredo@h/x", "postgresql://u:se@segredo@h/x",
                "postgresql://u:segredo@127.0.0.1:1/x?nao_existe=1", "postgresql://u:segredo%zz@h/x",
                t.server.url("nao_existe").replace("alicerce@", "alicerce:segredo@")):
        code, said = migrate(url)
        assert code != 0 and said.strip() and "segredo" not in said, (url, code, said)
