-- How long the audit log is kept: AUDITORIA_RETENCAO_DIAS, no less than the 30 days that its trigger keeps by itself.

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

CREATE OR REPLACE FUNCTION auditoria_expirar(p_dias int, p_quantas int) RETURNS int
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    n int;
BEGIN
    IF p_dias <= 0 THEN
        RETURN 0;
    END IF;
    PERFORM set_config('alicerce.auditoria_retencao', 'sim', true);
    DELETE FROM auditoria WHERE id = ANY (ARRAY(
        SELECT id FROM auditoria WHERE em < now() - make_interval(days => greatest(p_dias, 30))
         ORDER BY em, id LIMIT p_quantas FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS n = ROW_COUNT;
    PERFORM set_config('alicerce.auditoria_retencao', '', true);
    RETURN n;
END $$;
COMMENT ON FUNCTION auditoria_expirar(int, int) IS
    'Retention: at most p_quantas rows older than p_dias days (30 at least; 0: none); the worker calls it until it answers 0';
