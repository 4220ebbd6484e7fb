// What operators' routes answer, written by hand until docs/openapi.yaml has them; then src/gen has the same.
import type { Role } from './session';

export type DeliveryState = 'pendente' | 'processada' | 'morta';

export interface Delivery {
  id: number;
  via: string | null;
  estado: DeliveryState;
  motivo: string | null;
  tentativas: number;
  bytes: number;
  recebida_em: string;
  processada_em: string | null;
  proxima_em: string | null;
  request_id: string | null;
  fila_id: string | null;
}

export interface Attempt {
  em: string;
  acao: 'tentativa' | 'reenvio' | 'teste';
  resultado: 'erro' | 'morta' | 'processada' | 'pendente';
  motivo: string | null;
  por: string | null;
}

export interface WholeDelivery extends Delivery {
  assinatura: string | null;
  agente: string | null;
  traceparent: string | null;
  corpo: string | null;
  corpo_base64: string | null;
  eventos: Pick<StackEvent, 'id' | 'chave' | 'objeto' | 'campo' | 'estado'>[];
  historico: Attempt[];
  redigido?: boolean;
}

export interface DeliveryPage {
  entregas: Delivery[];
  proximo: string | null;
  redigido?: boolean;
  /** Events that cannot be found by what is in them yet. */
  atraso?: number;
}

export interface StackEvent {
  id: number;
  entrega_id: number | null;
  chave: string | null;
  objeto: string | null;
  campo: string | null;
  entidade: string | null;
  assunto: string | null;
  estado: string;
  contato: string | null;
  ocorrido_em: string | null;
  criado_em: string;
  conteudo?: unknown;
  redigido?: boolean;
}

export interface EventPage {
  eventos: StackEvent[];
  proximo: string | null;
  redigido?: boolean;
  atraso?: number;
}

export interface ReplayFilter {
  estado: 'morta' | 'processada';
  motivo?: string;
  formulario?: string;
  desde?: string;
  ate?: string;
}

export interface ReplayJob {
  id: number;
  estado: 'em_andamento' | 'concluido' | 'cancelado' | 'falhou';
  filtro: Partial<ReplayFilter>;
  maximo: number;
  marcadas: number;
  processadas: number;
  mortas: number;
  por_fazer: number;
  criado_em: string;
  criado_por: string | null;
  terminado_em: string | null;
  erro: string | null;
}

export interface ReplayPage {
  reenvios: ReplayJob[];
  proximo: string | null;
}

export interface Found {
  encontradas: number;
  ou_mais: boolean;
}

export interface Queue {
  comprimento: number | null;
  mais_antiga_s: number | null;
  em_maos: number | null;
  bytes_por_entrega: number | null;
  diretas: number | null;
  novas_tentativas: number | null;
  proxima_tentativa_em: string | null;
  mortas: number | null;
  workers: number | null;
  pausada_em: string | null;
  pausada_por: string | null;
}

/** Counts of rows stop here: it means "more than 10,000". */
export const COUNTED_MAX = 10_001;

export interface TestSent {
  request_id: string;
  bytes: number;
}

/** Who may act on deliveries and the queue. */
export const ACTS: Role = 'operador';
