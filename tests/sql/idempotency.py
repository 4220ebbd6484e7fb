"""criar_post_idempotente: one post for a key, whoever asks at once, for 24 hours."""
import threading

CREATE = "SELECT situacao, id, titulo, autor FROM criar_post_idempotente('{}', '\\x{}', '{}', 'c', {})"


def create(s, key, digest="00", title="t", author="'Maria'"):
    return s.ask(CREATE.format(key, digest, title, author)).split("|")


def test_created_repeated_divergent_removed(t):
    database = t.database()
    with t.session(database) as s:
        first = create(s, "a")
        assert first[0] == "criado" and first[2:] == ["t", "Maria"], first
        assert create(s, "a", title="other") == ["repetido"] + first[1:]
        assert create(s, "a", "01") == ["divergente", "", "", ""]
        assert create(s, "b", author="NULL")[3] == "Anônimo"
        s.ask(f"DELETE FROM posts WHERE id = {first[1]}")
        assert create(s, "a") == ["removido", "", "", ""]
        assert s.ask("SELECT count(*), (SELECT sum(n) FROM posts_contagem) FROM posts") == "4|4"


def test_a_key_ends_after_24_hours(t):
    database = t.database()
    with t.session(database) as s:
        old = create(s, "a")
        s.ask("UPDATE idempotencia SET criada_em = now() - interval '23 hours 59 minutes'")
        assert create(s, "a")[:2] == ["repetido", old[1]]
        s.ask("UPDATE idempotencia SET criada_em = now() - interval '24 hours'")
        new = create(s, "a", "01")
        assert new[0] == "criado" and new[1] != old[1]
        assert create(s, "a", "01")[:2] == ["repetido", new[1]]
        assert create(s, "a", "00")[0] == "divergente"


def test_cleaning_in_small_steps(t):
    database = t.database()
    with t.session(database) as s:
        s.ask("INSERT INTO idempotencia SELECT i, '\\x00', i, now() - interval '1 hour' * i FROM generate_series(1, 33) i")
        assert [s.ask("SELECT idempotencia_limpar(4)") for _ in range(4)] == ["4", "4", "2", "0"]
        assert s.ask("SELECT count(*), max(post_id) FROM idempotencia") == "23|23"


def test_two_sessions_with_one_key(t):
    database = t.database()
    with t.session(database) as a, t.session(database) as b:
        a.ask("BEGIN")
        first = create(a, "k")
        b.send(CREATE.format("k", "00", "t", "'Maria'"))
        assert b.waits()
        a.ask("COMMIT")
        assert b.answer().split("|") == ["repetido"] + first[1:]

        a.ask("BEGIN")
        gone = create(a, "r")
        b.send(CREATE.format("r", "00", "t", "'Maria'"))
        assert b.waits()
        a.ask("ROLLBACK")
        second = b.answer().split("|")
        assert second[0] == "criado" and second[1] != gone[1]


def test_two_sessions_with_one_expired_key(t):
    database = t.database()
    with t.session(database) as a, t.session(database) as b:
        create(a, "k")
        a.ask("UPDATE idempotencia SET criada_em = now() - interval '25 hours'; BEGIN")
        first = create(a, "k")
        b.send(CREATE.format("k", "00", "t", "'Maria'"))
        assert b.waits()
        assert a.ask("SELECT idempotencia_limpar(10)") == "0"
        a.ask("COMMIT")
        assert b.answer().split("|") == ["repetido"] + first[1:]


def test_cleaning_does_not_wait_for_a_key_in_use(t):
    database = t.database()
    with t.session(database) as a, t.session(database) as b:
        create(a, "k")
        create(a, "l")
        a.ask("UPDATE idempotencia SET criada_em = now() - interval '25 hours'; BEGIN")
        assert create(a, "k")[0] == "criado"
        assert b.ask("SET lock_timeout = '100ms'; SELECT idempotencia_limpar(10)") == "1"
        a.ask("COMMIT")
        assert create(b, "k")[0] == "repetido"
        assert create(b, "l")[0] == "criado"


def test_twelve_sessions_with_one_key(t):
    database, answers = t.database(), []

    def work():
        with t.session(database) as s:
            for i in range(15):
                answers.append((i, *create(s, f"k{i}")[:2]))
    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(15):
        of_key = [(what, post) for key, what, post in answers if key == i]
        assert sorted(what for what, _ in of_key) == ["criado"] + ["repetido"] * 11, of_key
        assert len({post for _, post in of_key}) == 1
    assert t.sql(database, "SELECT count(*) FROM posts") == "18"


def test_truncate_and_new_ids(t):
    """Ids begin anew: what a key remembers must not be somebody else's post."""
    database = t.database()
    with t.session(database) as s:
        s.ask("TRUNCATE posts RESTART IDENTITY CASCADE")
        assert create(s, "a")[1] == "1"
        s.ask("TRUNCATE posts RESTART IDENTITY CASCADE;"
              "INSERT INTO posts (titulo, conteudo) VALUES ('de outra pessoa', 'c')")
        assert create(s, "a")[0] == "removido"


def test_truncate_does_not_deadlock_with_a_key_being_renewed(t):
    database = t.database()
    with t.session(database) as a, t.session(database) as b:
        create(a, "k")
        create(a, "l")
        a.ask("UPDATE idempotencia SET criada_em = now() - interval '25 hours'; BEGIN; SELECT 1 FROM idempotencia"
              " WHERE chave = 'k' FOR UPDATE")
        b.ask("SET lock_timeout = '300ms'; TRUNCATE posts")
        assert create(a, "k")[0] == "criado"
        a.ask("COMMIT")
        assert create(a, "k")[0] == "repetido"
        assert a.ask("SELECT post_id IS NULL FROM idempotencia WHERE chave = 'l'") == "t"
