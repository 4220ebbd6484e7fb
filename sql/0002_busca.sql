-- Full text of posts (?busca=). Building a tsvector costs three times as much as inserting the row, so
-- the worker does it afterwards. At every snapshot a search is exact: posts named in posts_pendentes
-- are read directly, all others through posts_busca.

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

CREATE TABLE posts_busca (
    id bigint PRIMARY KEY,
    vetor tsvector NOT NULL
);
-- The pending list halves the work of a batch; its limit (kB) keeps it short, because each search reads all of it.
CREATE INDEX posts_busca_vetor ON posts_busca USING gin (vetor) WITH (fastupdate = on, gin_pending_list_limit = 1024);

COMMENT ON TABLE posts_busca IS
    'What posts_indexar made of each post. Right for every id that posts_pendentes does not name; what it '
    'holds for the others is not to be believed';
COMMENT ON COLUMN posts_busca.vetor IS 'posts_vetor(titulo, conteudo)';

-- Search ignores case and accents, for which no extension is needed: text and query go through the same
-- replacements and then through PostgreSQL's Portuguese stemmer. That stemmer knows suffixes by their
-- accents and does not join decisão with decisões; so accents go first (also decomposed ones), the
-- plurals in -ões, -áveis, -íveis take their singular's form, and -ção gets its spelling back. What the
-- replacements do to the middle of other words does no harm: it is done on both sides.
--   A chain of replace() is the cheapest: translate() takes half as long again, a regular expression twice.
DO $do$
DECLARE
    texto text := 'lower($1)';
    com_acento text := 'áàâãäéèêëíìîïóòôõöúùûüçñ';
    sem_acento text := 'aaaaaeeeeiiiiooooouuuucn';
BEGIN
    IF lower('Á') <> 'á' THEN -- a database with the locale C
        com_acento := com_acento || 'ÁÀÂÃÉÊÍÓÔÕÚÜÇ';
        sem_acento := sem_acento || 'aaaaeeiooouuc';
    END IF;
    FOR i IN 1 .. length(com_acento) LOOP
        texto := format('replace(%s, %L, %L)', texto, substr(com_acento, i, 1), substr(sem_acento, i, 1));
    END LOOP;
    FOR i IN 1 .. 6 LOOP -- combining grave, acute, circumflex, tilde, diaeresis, cedilla
        texto := format('replace(%s, %L, %L)', texto,
                        substr(U&'\0300\0301\0302\0303\0308\0327', i, 1), '');
    END LOOP;
    texto := format('replace(%s, %L, %L)', texto, 'oes', 'ao');
    texto := format('replace(%s, %L, %L)', texto, 'aveis', 'avel');
    texto := format('replace(%s, %L, %L)', texto, 'iveis', 'ivel');
    texto := format('replace(%s, %L, %L)', texto, 'cao', 'ção');

    -- plpgsql: its simple expressions are cheaper than a call of an SQL function, and stay out of plans
    EXECUTE format($f$
        CREATE FUNCTION posts_normalizar(text) RETURNS text
            LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS 'BEGIN RETURN %s; END' $f$,
        replace(texto, '''', ''''''));
    EXECUTE format($f$
        CREATE FUNCTION posts_vetor(titulo text, conteudo text) RETURNS tsvector
            LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
            AS 'BEGIN RETURN to_tsvector(''pg_catalog.portuguese''::regconfig, %s); END' $f$,
        replace(replace(texto, '$1', '$1 || '' '' || $2'), '''', ''''''));
END $do$;
COMMENT ON FUNCTION posts_normalizar(text) IS 'Text as the search compares it: lower case, no accents, plurals of -ão joined';
COMMENT ON FUNCTION posts_vetor(text, text) IS 'What posts_busca keeps of a post';

-- The query: what users type, in the syntax of web searches ("a phrase", or, -without). Never fails.
-- PostgreSQL's stop words carry accents; without them they would be wanted in every result, so they
-- become one that has none.
CREATE FUNCTION posts_consulta(busca text) RETURNS tsquery
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
    RETURN websearch_to_tsquery('pg_catalog.portuguese'::regconfig, regexp_replace(
        posts_normalizar(busca),
        '\m(nao|ja|tambem|so|ate|voces?|estao|ha|hao|sao|sera|serao|tera|terao|houvera|houverao'
        '|(estava|estivera|estivesse|houvera|houvesse|houveria|era|fora|fosse|seria|tinha|tivera|tivesse|teria)mos)\M',
        'de', 'g'));
END $$;
COMMENT ON FUNCTION posts_consulta(text) IS 'The query for posts_busca.vetor and posts_vetor()';

-- Brings posts_busca up to date for at most `quantos` ids of posts_pendentes; answers how many it took
-- (0: nothing to do, or another session is at it; a post that is named twice counts twice).
--   One session at a time, by an advisory lock of the transaction, is what keeps an older text from
-- overwriting a newer one. No post is locked: a change that commits after the entries were taken has
-- an entry of its own, and one that committed before is seen when the texts are read.
--   OFFSET 0 makes each post a probe of the primary key: no estimate can turn it into a scan of all posts.
--   It also folds posts_contagem, which no insert does while all writers are REPEATABLE READ.
--   The order of table locks is posts, posts_pendentes, posts_busca: that of TRUNCATE and its triggers.
CREATE FUNCTION posts_indexar(quantos int) RETURNS int
    LANGUAGE plpgsql SET search_path FROM CURRENT SET client_min_messages = warning AS $$
DECLARE
    entrada record;
    fim bigint;
    inicios bigint[];
    fins bigint[];
    ids bigint[];
    feitos bigint := 0;
BEGIN
    IF NOT pg_try_advisory_xact_lock(1097623907, 'posts_busca'::regclass::oid::int) THEN
        RETURN 0;
    END IF;
    LOCK TABLE posts IN ACCESS SHARE MODE;
    FOR entrada IN SELECT ctid, de, ate FROM posts_pendentes LIMIT quantos LOOP
        EXIT WHEN feitos >= quantos;
        IF entrada.ate - entrada.de < quantos - feitos THEN
            fim := entrada.ate;
            DELETE FROM posts_pendentes WHERE ctid = entrada.ctid;
        ELSE
            fim := entrada.de + (quantos - feitos) - 1;
            UPDATE posts_pendentes SET de = fim + 1 WHERE ctid = entrada.ctid;
        END IF;
        inicios := inicios || entrada.de;
        fins := fins || fim;
        feitos := feitos + (fim - entrada.de + 1);
    END LOOP;
    IF feitos = 0 THEN
        RETURN 0;
    END IF;

    SELECT array_agg(DISTINCT i ORDER BY i) INTO ids
      FROM unnest(inicios, fins) AS t (de, ate) CROSS JOIN generate_series(de, ate) AS i;

    INSERT INTO posts_busca
    SELECT p.id, posts_vetor(titulo, conteudo)
      FROM unnest(ids) AS i CROSS JOIN LATERAL (SELECT * FROM posts WHERE id = i OFFSET 0) p
        ON CONFLICT (id) DO UPDATE SET vetor = excluded.vetor WHERE posts_busca.vetor <> excluded.vetor;

    FOR fim IN SELECT i FROM unnest(ids) AS i WHERE NOT EXISTS (SELECT FROM posts WHERE id = i OFFSET 0) LOOP
        DELETE FROM posts_busca WHERE id = fim;
    END LOOP;

    IF current_setting('transaction_isolation') LIKE 'read %' THEN
        PERFORM posts_contagem_dobrar(10000);
    END IF;
    RETURN feitos;
END $$;
COMMENT ON FUNCTION posts_indexar(int) IS 'The worker calls it until it answers 0; any number of sessions may';

-- A function for the sake of the planner: it knows nothing of posts_pendentes, which is empty at one moment
-- and long at the next, and its guesses brought JIT compilation (40 ms) and parallel workers into each search.
CREATE FUNCTION posts_a_ler(p_antes bigint) RETURNS SETOF bigint
    LANGUAGE sql STABLE ROWS 50 SET search_path FROM CURRENT SET jit = off AS $$
    SELECT DISTINCT p.id
      FROM posts_pendentes
     CROSS JOIN LATERAL (SELECT id FROM posts WHERE id BETWEEN de AND ate AND ($1 IS NULL OR id < $1) OFFSET 0) p
     ORDER BY p.id DESC
$$;
COMMENT ON FUNCTION posts_a_ler(bigint) IS 'Ids of the posts that a search has to read itself, below p_antes, newest first';

-- A page of the search, newest first: posts with an id below p_antes (NULL: the newest), of p_autor (NULL: of
-- anybody), p_limite of them. PostgreSQL puts this body in place of the call and plans it with the values
-- when the statement is not a prepared one: a rare word goes through the GIN index, a common one through
-- the ids backwards. (That is why there is no SET here, and $n, which no column can hide.) Its three parts:
--   1. of one author, indexed: false at planning without an author;
--   2. of anybody, indexed: ids alone, so that many matches cost no look at posts;
--   3. pending: in the order of posts_a_ler, so that texts are read and parsed only until the page is full.
-- The subqueries on posts_pendentes stay tests of each row: as joins they would hide from the planner how
-- many rows there will be. OFFSET 0 keeps the order of doing things. Part 1 comes first for the sake of
-- locks: posts before posts_busca, as TRUNCATE takes them.
CREATE FUNCTION posts_buscar(p_busca text, p_antes bigint, p_limite bigint, p_autor text)
    RETURNS SETOF posts LANGUAGE sql STABLE AS $$
    SELECT p.*
      FROM ((SELECT p.id
               FROM posts p JOIN posts_busca b ON b.id = p.id
              WHERE p.autor = $4 AND b.vetor @@ posts_consulta($1)
                AND ($2 IS NULL OR p.id < $2) AND ($2 IS NULL OR b.id < $2)
                AND coalesce((SELECT false FROM posts_pendentes WHERE p.id BETWEEN de AND ate LIMIT 1), true)
              ORDER BY p.id DESC LIMIT $3)
            UNION ALL
            (SELECT b.id
               FROM posts_busca b
              WHERE $4 IS NULL AND b.vetor @@ posts_consulta($1) AND ($2 IS NULL OR b.id < $2)
                AND coalesce((SELECT false FROM posts_pendentes WHERE b.id BETWEEN de AND ate LIMIT 1), true)
              ORDER BY b.id DESC LIMIT $3)
            UNION ALL
            (SELECT p.id
               FROM (SELECT i FROM posts_a_ler($2) AS i OFFSET 0) n
              CROSS JOIN LATERAL (SELECT * FROM posts WHERE id = n.i OFFSET 0) p
              WHERE ($4 IS NULL OR p.autor = $4)
                AND posts_vetor(p.titulo, p.conteudo) @@ posts_consulta($1)
              LIMIT $3)
            ORDER BY id DESC LIMIT $3) achados
     CROSS JOIN LATERAL (SELECT * FROM posts WHERE id = achados.id OFFSET 0) p
     ORDER BY p.id DESC
$$;
COMMENT ON FUNCTION posts_buscar(text, bigint, bigint, text) IS
    'GET /api/posts?busca=: exact at every snapshot; to be called in an unprepared statement';

CREATE TRIGGER posts_truncados_busca AFTER TRUNCATE ON posts
    FOR EACH STATEMENT EXECUTE FUNCTION posts_esvaziar('posts_busca');
