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
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);

COMMENT ON TABLE posts_contagem IS
    'sum(n) is the number of posts, at every snapshot. A writer adds to a row that nobody holds or '
    'brings a row of its own, so no writer waits for another. No index: every update is HOT and pruned in place';
COMMENT ON COLUMN posts_contagem.n IS 'A share of the total; alone it means nothing and may be negative';

CREATE TABLE posts_pendentes (
    de bigint NOT NULL,
    ate bigint NOT NULL
) WITH (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0,
        autovacuum_analyze_threshold = 200, autovacuum_analyze_scale_factor = 0);

COMMENT ON TABLE posts_pendentes IS
    'Posts with ids de..ate may have changed since posts_busca was brought up to date: a search reads '
    'them directly. An entry commits with the change that it announces; entries may overlap and say too much';

-- After INSERT (transition table novas) and DELETE (velhas): the total, and what to index anew.
--   Total: two statements, because the second has a snapshot that sees the version that the first has
-- locked. REPEATABLE READ and SERIALIZABLE would fail on rows newer than their snapshot, so they bring
-- a row of their own. Once in 64 calls the rows left over are folded into one.
--   Ids: one entry covers the statement when at most three ids in four belong to others (sessions that
-- insert at once share the sequence), else one entry for each run of ids.
CREATE FUNCTION posts_contar() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    quantos bigint;
    primeiro bigint;
    ultimo bigint;
    livre tid;
    livres tid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT count(*), min(id), max(id) INTO quantos, primeiro, ultimo FROM novas;
    ELSE
        SELECT count(*), min(id), max(id) INTO quantos, primeiro, ultimo FROM velhas;
    END IF;
    IF quantos = 0 THEN
        RETURN NULL;
    END IF;

    IF ultimo / 4 - primeiro / 4 < quantos THEN
        INSERT INTO posts_pendentes VALUES (primeiro, ultimo);
    ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO posts_pendentes SELECT min(id), max(id)
            FROM (SELECT id, id - row_number() OVER (ORDER BY id) AS trecho FROM novas) t GROUP BY trecho;
    ELSE
        INSERT INTO posts_pendentes SELECT min(id), max(id)
            FROM (SELECT id, id - row_number() OVER (ORDER BY id) AS trecho FROM velhas) t GROUP BY trecho;
    END IF;

    IF TG_OP = 'DELETE' THEN
        quantos := -quantos;
    END IF;
    IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN
        INSERT INTO posts_contagem VALUES (quantos);
        RETURN NULL;
    END IF;
    SELECT ctid INTO livre FROM posts_contagem LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
        UPDATE posts_contagem SET n = n + quantos WHERE ctid = livre;
    END IF;
    IF NOT FOUND THEN
        INSERT INTO posts_contagem VALUES (quantos);
    END IF;
    IF random() < 1.0 / 64 THEN
        livres := ARRAY(SELECT ctid FROM posts_contagem LIMIT 100 FOR UPDATE SKIP LOCKED);
        IF cardinality(livres) > 4 THEN
            WITH soltas AS (DELETE FROM posts_contagem WHERE ctid = ANY (livres) RETURNING n)
            INSERT INTO posts_contagem SELECT sum(n) FROM soltas;
        END IF;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION posts_contar() IS 'Keeps posts_contagem and posts_pendentes after INSERT and DELETE';

CREATE TRIGGER posts_inseridos AFTER INSERT ON posts
    REFERENCING NEW TABLE AS novas FOR EACH STATEMENT EXECUTE FUNCTION posts_contar();
CREATE TRIGGER posts_removidos AFTER DELETE ON posts
    REFERENCING OLD TABLE AS velhas FOR EACH STATEMENT EXECUTE FUNCTION posts_contar();

CREATE FUNCTION posts_anotar_mudanca() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO posts_pendentes
    SELECT min(id), max(id)
      FROM (SELECT id, id - row_number() OVER (ORDER BY id) AS trecho
              FROM (SELECT id FROM novas n FULL JOIN velhas v USING (id)
                     WHERE (n.titulo, n.conteudo) IS DISTINCT FROM (v.titulo, v.conteudo)) m) t
     GROUP BY trecho;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION posts_anotar_mudanca() IS 'Keeps posts_pendentes after UPDATE of the text or the id';

CREATE TRIGGER posts_mudados AFTER UPDATE ON posts
    REFERENCING OLD TABLE AS velhas NEW TABLE AS novas
    FOR EACH STATEMENT EXECUTE FUNCTION posts_anotar_mudanca();

CREATE FUNCTION posts_esvaziar() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    TRUNCATE posts_contagem, posts_pendentes;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION posts_esvaziar() IS 'Empties posts_contagem and posts_pendentes after TRUNCATE';

CREATE TRIGGER posts_truncados AFTER TRUNCATE ON posts
    FOR EACH STATEMENT EXECUTE FUNCTION posts_esvaziar();

INSERT INTO posts (titulo, conteudo, autor) VALUES
    ('Bem-vindo ao Alicerce',
     'Este é o primeiro post. A página, a API e o banco de dados já conversam entre si.', 'Equipe Alicerce'),
    ('Como publicar',
     'Envie titulo, conteudo e, se quiser, autor para POST /api/posts. Quem não assina publica como Anônimo.',
     'Equipe Alicerce'),
    ('O que há por trás',
     'Um servidor em C, PostgreSQL para guardar, Redis para contar e enfileirar: poucas peças, bem assentadas.',
     'Equipe Alicerce');
