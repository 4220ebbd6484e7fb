import { call } from '@/api/client';
import { ApiError } from '@/api/errors';
import type { StackEvent } from '@/api/operators';
import { memberText } from '@/ui/json/parse';

export interface WholeEvent extends Omit<StackEvent, 'conteudo'> {
  /** JSON as the API sent it: JSON.parse would change ids of more than 15 digits. */
  conteudo: string | null;
}

export async function readEvent(id: string, signal?: AbortSignal): Promise<WholeEvent> {
  const { data: text } = await call<string>('GET', `/api/eventos/${id}`, { signal, read: 'text' });
  let event: StackEvent;
  try {
    event = JSON.parse(text) as StackEvent;
  } catch {
    throw new ApiError('malformed');
  }
  return { ...event, conteudo: event.conteudo === null ? null : memberText(text, 'conteudo') };
}
