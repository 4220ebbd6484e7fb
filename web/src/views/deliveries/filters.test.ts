import { describe, expect, it } from 'vitest';
import { active, DELIVERY_FILTERS, fromLocalInput, moment, queryOf, replayFilter, replayObstacle, search, toLocalInput, understand } from './filters';

const NOW = Date.parse('2026-11-25T12:00:00Z');
const of = (change: Partial<typeof DELIVERY_FILTERS>) => ({ ...DELIVERY_FILTERS, ...change });

describe('the one box', () => {
  it('takes a short number for a delivery, a long one for a value', () => {
    expect(understand('42')).toEqual({ id: 42, filters: {} });
    expect(understand(' #42 ')).toEqual({ id: 42, filters: {} });
    expect(understand('123456789012345').filters).toEqual({ campo: '', valor: '123456789012345' });
  });

  it('knows requests, states, filters by name, fields', () => {
    expect(understand('0af7651916cd43dd8448eb211c80319c').filters.pedido).toBe('0af7651916cd43dd8448eb211c80319c');
    expect(understand('0AF76519-16cd-43dd-8448-eb211c80319c').filters.pedido).toBeDefined();
    expect(understand('mortas motivo:json desde:24h').filters).toEqual({ estado: 'morta', motivo: 'json', desde: '24h' });
    expect(understand('state:dead form:77').filters).toEqual({ estado: 'morta', formulario: '77' });
    expect(understand('value.form_id=9 pendente').filters).toEqual({ campo: 'value.form_id', valor: '9', estado: 'pendente' });
  });

  it('takes the rest together for a value', () => {
    expect(understand('Ana Silva').filters).toEqual({ campo: '', valor: 'Ana Silva' });
    expect(understand('nome="Ana Silva" morta').filters).toEqual({ campo: 'nome', valor: 'Ana Silva', estado: 'morta' });
    expect(understand('https://a.b/c').filters.valor).toBe('https://a.b/c');
    expect(understand('   ')).toEqual({ id: null, filters: {} });
  });
});

describe('filters', () => {
  it('ask the API in its words, spans by the clock', () => {
    expect(moment('24h', NOW)).toBe('2026-11-24T12:00:00.000Z');
    expect(moment('constructor', NOW)).toBe('constructor');
    const query = queryOf(of({ pedido: 'r', campo: 'x', desde: '1h', ate: '2026-11-25' }), NOW);
    expect(query).toMatchObject({ request_id: 'r', campo: '', desde: '2026-11-25T11:00:00.000Z', ate: '2026-11-25' });
    expect(queryOf(of({ campo: 'x', valor: '1' }), NOW)).toMatchObject({ campo: 'x', valor: '1' });
    expect(active(of({ campo: 'x' }))).toEqual([]);
  });

  it('say when all that match cannot be replayed', () => {
    expect(replayObstacle(of({}))).toBe('state');
    expect(replayObstacle(of({ estado: 'pendente' }))).toBe('state');
    expect(replayObstacle(of({ estado: 'morta', valor: 'x' }))).toBe('field');
    expect(replayObstacle(of({ estado: 'morta', pedido: 'x' }))).toBe('request');
    expect(replayObstacle(of({ estado: 'morta', motivo: 'x' }))).toBeNull();
    expect(replayFilter(of({ estado: 'morta', motivo: 'x', desde: '1h' }), NOW)).toEqual({ estado: 'morta', motivo: 'x', desde: '2026-11-25T11:00:00.000Z' });
  });

  it('are an address', () => {
    expect(search({})).toBe('');
    expect(search(of({ estado: 'morta', motivo: 'a b&c' }))).toBe('?estado=morta&motivo=a+b%26c');
    expect(fromLocalInput(toLocalInput('2026-11-25T10:30:00Z'))).toBe('2026-11-25T10:30:00Z');
    expect(toLocalInput('24h')).toBe('');
  });
});
