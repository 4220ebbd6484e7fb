// Filters of deliveries and events: what stands in the address, what the one box understands, what the API is asked.
import type { DeliveryState, ReplayFilter } from '@/api/operators';

export const DELIVERY_FILTERS = { estado: '', motivo: '', formulario: '', desde: '', ate: '', pedido: '', campo: '', valor: '' };
export type DeliveryFilters = typeof DELIVERY_FILTERS;
export type FilterName = keyof DeliveryFilters;
export const FILTER_NAMES = Object.keys(DELIVERY_FILTERS) as FilterName[];

export const STATES: DeliveryState[] = ['pendente', 'processada', 'morta'];
/** Spans that move with the clock; in the address as they are. */
export const SPANS = { '15min': 15 * 60, '1h': 3600, '24h': 86_400, '7d': 7 * 86_400, '30d': 30 * 86_400 } as const;
export type Span = keyof typeof SPANS;

export function isSpan(text: string): text is Span {
  return Object.hasOwn(SPANS, text);
}

/** A moment as the API takes it: "24h" is so long before `now`. */
export function moment(text: string, now: number): string | undefined {
  if (text === '') return undefined;
  return isSpan(text) ? new Date(now - SPANS[text] * 1000).toISOString() : text;
}

const REQUEST_ID = /^(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;
const PREFIXES: Record<string, FilterName> = {
  estado: 'estado', state: 'estado', motivo: 'motivo', reason: 'motivo', formulario: 'formulario', form: 'formulario',
  pedido: 'pedido', request: 'pedido', request_id: 'pedido', desde: 'desde', since: 'desde', ate: 'ate', until: 'ate',
};
const OWN_ID_DIGITS = 12; // Meta's ids have more

export interface Understood {
  /** A delivery that was named by its number. */
  id: number | null;
  filters: Partial<DeliveryFilters>;
}

function words(text: string): string[] {
  return text.match(/(?:[^\s"]|"[^"]*")+/g)?.map((word) => word.replaceAll('"', '')) ?? [];
}

function state(text: string): DeliveryState | null {
  const known: Record<string, DeliveryState> = { pending: 'pendente', processed: 'processada', dead: 'morta' };
  const lower = text.toLowerCase();
  return known[lower] ?? STATES.find((one) => one === lower || `${one}s` === lower) ?? null;
}

/**
 * What somebody typed into the one box. `123` or `#123` is a delivery; 32 hex digits or a UUID a request; `morta` a
 * state; `motivo:x`, `formulario:x` … that filter; `form_id=x` a field and its value; anything else a value in any field.
 */
export function understand(text: string): Understood {
  const result: Understood = { id: null, filters: {} };
  const rest: string[] = [];
  for (const word of words(text.trim())) {
    const prefixed = /^([a-z_]+):(.+)$/i.exec(word);
    const name = prefixed && PREFIXES[(prefixed[1] ?? '').toLowerCase()];
    const pair = /^([^=:]+)=(.+)$/.exec(word);
    const named = state(word);
    if (name) result.filters[name] = name === 'estado' ? (state(prefixed[2] ?? '') ?? '') : prefixed[2];
    else if (/^#\d{1,18}$/.test(word) || (/^\d+$/.test(word) && word.length <= OWN_ID_DIGITS)) result.id = Number(word.replace('#', ''));
    else if (REQUEST_ID.test(word)) result.filters.pedido = word;
    else if (pair) Object.assign(result.filters, { campo: pair[1], valor: pair[2] });
    else if (named) result.filters.estado = named;
    else rest.push(word);
  }
  if (rest.length > 0) Object.assign(result.filters, { campo: '', valor: rest.join(' ') });
  return result;
}

export function active(filters: DeliveryFilters): FilterName[] {
  return FILTER_NAMES.filter((name) => filters[name] !== '' && (name !== 'campo' || filters.valor !== ''));
}

export function queryOf(filters: DeliveryFilters, now: number): Record<string, string | undefined> {
  const { pedido, campo, valor, desde, ate, ...same } = filters;
  return { ...same, request_id: pedido, campo: valor === '' ? '' : campo, valor, desde: moment(desde, now), ate: moment(ate, now) };
}

/** Why all that match cannot be sent through again; null when they can. */
export function replayObstacle(filters: DeliveryFilters): 'state' | 'field' | 'request' | null {
  if (filters.estado !== 'morta' && filters.estado !== 'processada') return 'state';
  if (filters.valor !== '') return 'field';
  return filters.pedido === '' ? null : 'request';
}

/** For POST /api/reenvios: only after replayObstacle said null. Moments are fixed when the question is asked. */
export function replayFilter(filters: DeliveryFilters, now: number): ReplayFilter {
  const { motivo, formulario } = filters;
  const full = { motivo, formulario, desde: moment(filters.desde, now), ate: moment(filters.ate, now) };
  const given = Object.fromEntries(Object.entries(full).filter(([, value]) => value));
  return { ...given, estado: filters.estado === 'processada' ? 'processada' : 'morta' };
}

/** Part of an address, with its question mark; '' when nothing is filtered. */
export function search(filters: Partial<DeliveryFilters>): string {
  const text = new URLSearchParams(Object.entries(filters).filter(([, value]) => value !== '')).toString();
  return text === '' ? '' : `?${text}`;
}

// <input type="datetime-local"> speaks of this machine's time without saying so.
export function toLocalInput(text: string): string {
  const at = new Date(text);
  if (text === '' || isSpan(text) || Number.isNaN(at.getTime())) return '';
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function fromLocalInput(text: string): string {
  const at = new Date(text);
  return text === '' || Number.isNaN(at.getTime()) ? '' : at.toISOString().replace('.000Z', 'Z');
}
