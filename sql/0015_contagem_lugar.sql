-- The total of posts while a long transaction (a backup, a forgotten session) keeps dead versions from being pruned:
-- several writers no longer look for their rows among all of them. And the search index is built by probes, whatever
-- plan the session made when there were few posts.

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

-- As in 0014 but for what happens past page 7. There the session remembered where a row went, but not whose: writers
-- that took turns at the places moved each other's rows, and each statement scanned all of the dead versions. It went
-- on after the long transaction: rows that find room on their page stay there, and a scan went on behind its row.
--   Now a scan ends at the row (LIMIT 1), and past page 7 a session keeps to one place, whose row it finds by its
-- address alone. If another session is there, or was, it brings a row of its own, which is folded as a seventeenth
-- writer's is, and now and then tries another place: to find that one's row is a scan, so not at every turn. Up to
-- sixteen writers end with a place each.
DO $do$ BEGIN EXECUTE replace($f$
CREATE OR REPLACE FUNCTION ESQUEMA.posts_contar() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    quantos bigint;
    primeiro bigint;
    ultimo bigint;
    minha smallint := 0;
    lembrada text;
    onde tid;
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
    lembrada := current_setting('alicerce.vaga', true); -- place and address: '3 (12,5)'; '3 ': just chosen
    IF lembrada <> '' THEN
        PERFORM ESQUEMA.posts_contar_longe(quantos, lembrada);
        RETURN NULL;
    END IF;
    WHILE minha < 16 AND NOT pg_try_advisory_xact_lock(1097623908, minha) LOOP
        minha := minha + 1;
    END LOOP;
    IF minha = 16 THEN
        INSERT INTO ESQUEMA.posts_contagem VALUES (quantos);
        IF random() * 32 < 1 THEN
            PERFORM ESQUEMA.posts_contagem_dobrar(100);
        END IF;
        RETURN NULL;
    END IF;
    UPDATE ESQUEMA.posts_contagem SET n = n + quantos
     WHERE ctid = (SELECT ctid FROM ESQUEMA.posts_contagem WHERE vaga = minha LIMIT 1) RETURNING ctid INTO onde;
    IF onde IS NULL THEN
        INSERT INTO ESQUEMA.posts_contagem VALUES (quantos, minha) RETURNING ctid INTO onde;
    END IF;
    IF onde >= '(8,0)' THEN
        PERFORM set_config('alicerce.vaga', minha || ' ' || onde, false);
    ELSIF random() * 64 < 1 THEN
        PERFORM ESQUEMA.posts_contagem_dobrar(100);
    END IF;
    RETURN NULL;
END $$
$f$, 'ESQUEMA', quote_ident(current_schema())); END $do$;

DO $do$ BEGIN EXECUTE replace($f$
CREATE FUNCTION ESQUEMA.posts_contar_longe(quantos bigint, lembrada text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    minha smallint := split_part(lembrada, ' ', 1);
    endereco text := split_part(lembrada, ' ', 2);
    onde tid;
BEGIN
    IF pg_try_advisory_xact_lock(1097623908, minha) THEN
        IF endereco = '' THEN
            UPDATE ESQUEMA.posts_contagem SET n = n + quantos
             WHERE ctid = (SELECT ctid FROM ESQUEMA.posts_contagem WHERE vaga = minha LIMIT 1) RETURNING ctid INTO onde;
            IF onde IS NULL THEN
                INSERT INTO ESQUEMA.posts_contagem VALUES (quantos, minha) RETURNING ctid INTO onde;
            END IF;
        ELSE
            UPDATE ESQUEMA.posts_contagem SET n = n + quantos WHERE ctid = endereco::tid AND vaga = minha
            RETURNING ctid INTO onde;
        END IF;
    END IF;
    IF onde IS NOT NULL THEN
        PERFORM set_config('alicerce.vaga', CASE WHEN onde >= '(8,0)' THEN minha || ' ' || onde ELSE '' END, false);
        IF random() * 1024 < 1 THEN
            PERFORM ESQUEMA.posts_contagem_dobrar(100);
        END IF;
        RETURN;
    END IF;
    INSERT INTO ESQUEMA.posts_contagem VALUES (quantos);
    IF random() * 16 < 1 THEN
        PERFORM set_config('alicerce.vaga', floor(random() * 16) || ' ', false);
    END IF;
    IF random() * 32 < 1 THEN
        PERFORM ESQUEMA.posts_contagem_dobrar(100);
    END IF;
END $$
$f$, 'ESQUEMA', quote_ident(current_schema())); END $do$;
COMMENT ON FUNCTION posts_contar_longe(bigint, text) IS
    'The part of posts_contar for a session whose row lies past page 7: quantos are added, lembrada is what it remembers';

-- Also what lies past page 7 without a writer: the pages before it can only be given back (VACUUM) once it is gone, and
-- until then whoever reads the total reads them. Now and then, because it costs the sessions at those places a scan.
CREATE OR REPLACE FUNCTION posts_contagem_dobrar(quantas int) RETURNS void
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    livres tid[];
    longe smallint;
    recolher boolean := quantas >= 1000 AND random() * 32 < 1;
BEGIN
    LOCK TABLE posts IN ACCESS SHARE MODE; -- not while a TRUNCATE empties both
    IF recolher THEN
        FOR longe IN SELECT vaga FROM posts_contagem WHERE ctid >= '(8,0)' AND vaga IS NOT NULL LOOP
            IF pg_try_advisory_xact_lock(1097623908, longe) THEN
                UPDATE posts_contagem SET vaga = NULL WHERE vaga = longe;
            END IF;
        END LOOP;
    END IF;
    IF recolher OR (SELECT count(*) FROM posts_contagem WHERE vaga IS NULL) > 16 THEN
        livres := ARRAY(SELECT ctid FROM posts_contagem WHERE vaga IS NULL LIMIT quantas FOR UPDATE SKIP LOCKED);
        WITH soltas AS (DELETE FROM posts_contagem WHERE ctid = ANY (livres) RETURNING n)
        INSERT INTO posts_contagem SELECT sum(n) FROM soltas HAVING count(*) > 0;
    END IF;
END $$;
COMMENT ON FUNCTION posts_contagem_dobrar(int) IS
    'Makes one row of up to so many rows of posts_contagem that have no place and that nobody holds; of 1000 and more, '
    'as the worker asks for, at times of rows far behind, too. For READ COMMITTED only';

-- A plan that was kept from when there were a few posts read all of them for each id, until the next ANALYZE.
ALTER FUNCTION posts_indexar(int) SET enable_seqscan = off;
ALTER FUNCTION posts_indexar(int) SET jit = off; -- what has no index seems to cost too much then
