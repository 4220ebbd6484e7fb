-- posts, their exact total without counting, and the list of posts that the search index does not
-- know yet. Statement triggers keep the last two, so they follow any SQL: COPY, MERGE, ON CONFLICT,
-- cascades, savepoints, TRUNCATE.

-- The functions of this file find its tables by the search_path that they are born with: the schema
-- in which the tables are made, pg_catalog implicitly before it, temporary tables last.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

CREATE TABLE posts (
    id bigserial PRIMARY KEY,
    titulo text NOT NULL,
    conteudo text NOT NULL,
    autor text COLLATE "C" NOT NULL DEFAULT 'Anônimo',
    data_criacao timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX posts_autor_id ON posts (autor, id);

COMMENT ON TABLE posts IS 'What /api/posts shows and makes; newest first means id descending';
COMMENT ON COLUMN posts.titulo IS '1 to 200 characters: the API checks';
COMMENT ON COLUMN posts.conteudo IS '1 to 100000 characters: the API checks';
COMMENT ON COLUMN posts.autor IS
    'Up to 100 characters: the API checks. Only ever compared for equality, hence the cheap collation';
COMMENT ON COLUMN posts.data_criacao IS 'Start of the transaction that created it';
COMMENT ON INDEX posts_autor_id IS 'Pages of one author, newest first';

CREATE TABLE posts_contagem (
    n bigint NOT NULL
) WITH (fillfactor = 25, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);

COMMENT ON TABLE posts_contagem IS
    'sum(n) is the number of posts, at every snapshot. A writer adds to a row that nobody holds or '
    'brings a row of its own, so no writer waits for another. No index: updates are HOT and pruned in place';
COMMENT ON COLUMN posts_contagem.n IS 'A share of the total; alone it means nothing and may be negative';

CREATE TABLE posts_pendentes (
    de bigint NOT NULL,
    ate bigint NOT NULL
) WITH (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0,
        autovacuum_analyze_threshold = 200, autovacuum_analyze_scale_factor = 0);

COMMENT ON TABLE posts_pendentes IS
    'Posts with ids de..ate may have changed since posts_busca was brought up to date: a search reads '
    'them directly. An entry commits with the change that it announces; entries may overlap and say too much';

CREATE FUNCTION posts_contagem_dobrar(quantas int) RETURNS void
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    livres tid[];
BEGIN
    LOCK TABLE posts IN ACCESS SHARE MODE; -- not while a TRUNCATE empties both
    IF (SELECT count(*) FROM posts_contagem) > 16 THEN
        livres := ARRAY(SELECT ctid FROM posts_contagem LIMIT quantas FOR UPDATE SKIP LOCKED);
        WITH soltas AS (DELETE FROM posts_contagem WHERE ctid = ANY (livres) RETURNING n)
        INSERT INTO posts_contagem SELECT sum(n) FROM soltas HAVING count(*) > 0;
    END IF;
END $$;
COMMENT ON FUNCTION posts_contagem_dobrar(int) IS
    'Makes one row of up to so many rows of posts_contagem that nobody holds. For READ COMMITTED only';

-- After INSERT (transition table novas) and DELETE (velhas): names the posts in posts_pendentes and adds
-- to the total. It costs 30 us a statement, 40 from four rows on, and 0.15 for each row; that shaped it:
--   Table names are qualified when the function is made; SET search_path would cost 5 us. It runs with the
-- caller's rights: a role that may insert posts needs the same on the two tables.
--   A statement with fewer than four rows is counted by naming them, 10 us cheaper than an aggregate. Of
-- more rows one entry names all, if at most three ids in four belong to others (sessions that insert at
-- once share the sequence), else there is one for each.
--   Total: SELECT and UPDATE are two statements because the second has a snapshot that sees the version
-- that the first has locked. REPEATABLE READ and SERIALIZABLE would fail on rows newer than their snapshot:
-- they bring their own row. While a long transaction keeps dead versions from being pruned the live one
-- moves on, page by page, and a scan for it would cost more with each statement: past page 7 the session
-- remembers where its own row went.
DO $do$ BEGIN EXECUTE replace($f$
CREATE FUNCTION ESQUEMA.posts_contar() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    quantos bigint;
    primeiro bigint;
    ultimo bigint;
    lembrada text;
    livre tid;
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO ESQUEMA.posts_pendentes SELECT id, id FROM novas LIMIT 4;
        GET DIAGNOSTICS quantos = ROW_COUNT;
        IF quantos = 4 THEN
            SELECT count(*), min(id), max(id) INTO quantos, primeiro, ultimo FROM novas;
            IF ultimo / 4 - primeiro / 4 < quantos THEN
                INSERT INTO ESQUEMA.posts_pendentes VALUES (primeiro, ultimo);
            ELSE
                INSERT INTO ESQUEMA.posts_pendentes SELECT id, id FROM novas;
            END IF;
        END IF;
    ELSE
        SELECT count(*), min(id), max(id) INTO quantos, primeiro, ultimo FROM velhas;
        IF ultimo / 4 - primeiro / 4 < quantos THEN
            INSERT INTO ESQUEMA.posts_pendentes VALUES (primeiro, ultimo);
        ELSE
            INSERT INTO ESQUEMA.posts_pendentes SELECT id, id FROM velhas;
        END IF;
        quantos := -quantos;
    END IF;
    IF quantos = 0 THEN
        RETURN NULL;
    END IF;

    IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN
        INSERT INTO ESQUEMA.posts_contagem VALUES (quantos);
        RETURN NULL;
    END IF;
    lembrada := current_setting('alicerce.contagem', true);
    IF lembrada <> '' THEN
        SELECT ctid INTO livre FROM ESQUEMA.posts_contagem WHERE ctid = lembrada::tid FOR UPDATE SKIP LOCKED;
    ELSE
        SELECT ctid INTO livre FROM ESQUEMA.posts_contagem LIMIT 1 FOR UPDATE SKIP LOCKED;
    END IF;
    IF FOUND THEN
        UPDATE ESQUEMA.posts_contagem SET n = n + quantos WHERE ctid = livre RETURNING ctid INTO livre;
    END IF;
    IF NOT FOUND THEN
        INSERT INTO ESQUEMA.posts_contagem VALUES (quantos) RETURNING ctid INTO livre;
    END IF;
    IF livre >= '(8,0)' OR lembrada <> '' THEN
        PERFORM set_config('alicerce.contagem', CASE WHEN livre >= '(8,0)' THEN livre::text ELSE '' END, false);
    END IF;
    IF random() * 1024 < (CASE WHEN livre < '(8,0)' THEN 32 ELSE 1 END) THEN
        PERFORM ESQUEMA.posts_contagem_dobrar(100);
    END IF;
    RETURN NULL;
END $$
$f$, 'ESQUEMA', quote_ident(current_schema())); END $do$;
COMMENT ON FUNCTION posts_contar() IS 'Keeps posts_contagem and posts_pendentes after INSERT and DELETE';

CREATE TRIGGER posts_inseridos AFTER INSERT ON posts
    REFERENCING NEW TABLE AS novas FOR EACH STATEMENT EXECUTE FUNCTION posts_contar();
CREATE TRIGGER posts_removidos AFTER DELETE ON posts
    REFERENCING OLD TABLE AS velhas FOR EACH STATEMENT EXECUTE FUNCTION posts_contar();

CREATE FUNCTION posts_anotar() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO posts_pendentes
    SELECT id, id FROM novas n FULL JOIN velhas v USING (id)
     WHERE (n.titulo, n.conteudo) IS DISTINCT FROM (v.titulo, v.conteudo);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION posts_anotar() IS 'Keeps posts_pendentes after UPDATE of the text or the id';

CREATE TRIGGER posts_mudados AFTER UPDATE ON posts
    REFERENCING OLD TABLE AS velhas NEW TABLE AS novas
    FOR EACH STATEMENT EXECUTE FUNCTION posts_anotar();

-- TRUNCATE rather than DELETE: like that of posts it also takes what is newer than the snapshot of a
-- REPEATABLE READ transaction. It is refused for a table that the same command names, or that a cursor reads.
-- posts_contagem has no such rows in READ COMMITTED (its writers hold locks on posts); there the weaker lock of
-- DELETE lets a transaction read first the total and then posts without a deadlock.
CREATE FUNCTION posts_esvaziar() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    tabela text;
BEGIN
    FOREACH tabela IN ARRAY TG_ARGV LOOP
        IF tabela = 'posts_contagem' AND current_setting('transaction_isolation') LIKE 'read %' THEN
            DELETE FROM posts_contagem;
            CONTINUE;
        END IF;
        BEGIN
            EXECUTE format('TRUNCATE %I', tabela);
        EXCEPTION WHEN object_in_use THEN
            EXECUTE format('DELETE FROM %I', tabela);
        END;
    END LOOP;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION posts_esvaziar() IS 'Empties the tables named by its arguments after TRUNCATE of posts';

CREATE TRIGGER posts_truncados AFTER TRUNCATE ON posts
    FOR EACH STATEMENT EXECUTE FUNCTION posts_esvaziar('posts_contagem', 'posts_pendentes');

INSERT INTO posts (titulo, conteudo, autor) VALUES
    ('Bem-vindo ao Alicerce',
     'Este é o primeiro post. A página, a API e o banco de dados já conversam entre si.', 'Equipe Alicerce'),
    ('Como publicar',
     'Envie titulo, conteudo e, se quiser, autor para POST /api/posts. Quem não assina publica como Anônimo.',
     'Equipe Alicerce'),
    ('O que há por trás',
     'Um servidor em C, PostgreSQL para guardar, Redis para contar e enfileirar: poucas peças, bem assentadas.',
     'Equipe Alicerce');
