-- A step of a job that finds a table locked (VACUUM FULL, an ALTER TABLE) has not failed: it is tried again, for as long
-- as the lock is held. The worker's chores have a lock_timeout now, so five of them in a row are soon together.

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

CREATE OR REPLACE FUNCTION reenvios_passo(p_quantas bigint, p_abertas bigint) RETURNS bigint
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    r reenvios;
BEGIN
    SELECT * INTO r FROM reenvios WHERE estado = 'em_andamento' AND proximo_em <= now()
     ORDER BY proximo_em, id LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF r.id IS NULL THEN
        SELECT * INTO r FROM reenvios WHERE id IN (SELECT reenvio_id FROM reenvios_parcelas LIMIT 100)
           AND estado <> 'em_andamento' LIMIT 1 FOR UPDATE SKIP LOCKED;
        IF r.id IS NULL THEN
            RETURN 0;
        END IF;
        PERFORM reenvio_somar(r.id);
        RETURN 1;
    END IF;
    BEGIN
        RETURN reenvio_avancar(r.id, p_quantas, p_abertas);
    EXCEPTION
        WHEN lock_not_available THEN
            UPDATE reenvios SET erro = left(SQLSTATE || ': ' || SQLERRM, 500),
                                proximo_em = clock_timestamp() + interval '5 s'
             WHERE id = r.id;
            RETURN 0;
        WHEN query_canceled OR OTHERS THEN
            UPDATE reenvios SET falhas = r.falhas + 1, erro = left(SQLSTATE || ': ' || SQLERRM, 500),
                                estado = CASE WHEN r.falhas >= 4 THEN 'falhou' ELSE estado END,
                                terminado_em = CASE WHEN r.falhas >= 4 THEN now() END,
                                proximo_em = clock_timestamp() + (r.falhas + 1) * interval '1 s'
             WHERE id = r.id;
            RETURN 0;
    END;
END $$;
