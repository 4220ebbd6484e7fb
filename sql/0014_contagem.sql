-- The total of posts costs a writer one row version instead of a locked and an updated one: a writer owns a
-- row by an advisory lock of its transaction, where it looked for one that nobody had locked.

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

ALTER TABLE posts_contagem ADD COLUMN vaga smallint;
COMMENT ON TABLE posts_contagem IS
    'sum(n) is the number of posts, at every snapshot. A writer adds to the row of a place (vaga) that nobody holds '
    'or brings a row of its own, so no writer waits for another. No index: updates are HOT and pruned in place';
COMMENT ON COLUMN posts_contagem.vaga IS
    '0 to 15: changed and made only by who has the advisory lock (1097623908, vaga). NULL: somebody''s own, to be folded';

CREATE OR REPLACE FUNCTION posts_contagem_dobrar(quantas int) RETURNS void
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    livres tid[];
BEGIN
    LOCK TABLE posts IN ACCESS SHARE MODE; -- not while a TRUNCATE empties both
    IF (SELECT count(*) FROM posts_contagem WHERE vaga IS NULL) > 16 THEN
        livres := ARRAY(SELECT ctid FROM posts_contagem WHERE vaga IS NULL LIMIT quantas FOR UPDATE SKIP LOCKED);
        WITH soltas AS (DELETE FROM posts_contagem WHERE ctid = ANY (livres) RETURNING n)
        INSERT INTO posts_contagem SELECT sum(n) FROM soltas HAVING count(*) > 0;
    END IF;
END $$;
COMMENT ON FUNCTION posts_contagem_dobrar(int) IS
    'Makes one row of up to so many rows of posts_contagem that have no place and that nobody holds. For READ COMMITTED only';

-- As in 0001 but for the total, which costs 13 to 19 us less a statement. What shaped it:
--   The lock of a place ends with the transaction, after its rows can be seen. So who gets it, and takes a
-- snapshot then (each statement of a function does, in READ COMMITTED), sees the row as it was left: no row is
-- locked, no version but the new one written. A savepoint that is rolled back gives both back.
--   Places are tried from 0 on: few writers, few rows, and all of them on one page. A seventeenth writer
-- brings a row of its own, and folds more of such rows than it makes; REPEATABLE READ and SERIALIZABLE, which
-- would fail on rows newer than their snapshot, bring one too, and others fold them.
--   After a TRUNCATE the row of a place is not there: who holds the place makes it anew.
--   While a long transaction keeps dead versions from being pruned the live one moves on, page by page, and a
-- scan for it would cost more with each statement: past page 7 the session remembers where it went.
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
    lembrada := current_setting('alicerce.contagem', true);
    IF lembrada <> '' THEN
        UPDATE ESQUEMA.posts_contagem SET n = n + quantos WHERE ctid = lembrada::tid AND vaga = minha
        RETURNING ctid INTO onde;
    END IF;
    IF onde IS NULL THEN
        UPDATE ESQUEMA.posts_contagem SET n = n + quantos WHERE vaga = minha RETURNING ctid INTO onde;
    END IF;
    IF onde IS NULL THEN
        INSERT INTO ESQUEMA.posts_contagem VALUES (quantos, minha) RETURNING ctid INTO onde;
    END IF;
    IF onde >= '(8,0)' OR lembrada <> '' THEN
        PERFORM set_config('alicerce.contagem', CASE WHEN onde >= '(8,0)' THEN onde::text ELSE '' END, false);
    END IF;
    IF random() * 1024 < (CASE WHEN onde < '(8,0)' THEN 16 ELSE 1 END) THEN
        PERFORM ESQUEMA.posts_contagem_dobrar(100);
    END IF;
    RETURN NULL;
END $$
$f$, 'ESQUEMA', quote_ident(current_schema())); END $do$;
