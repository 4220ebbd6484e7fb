import { useSyncExternalStore } from 'react';
import * as session from './session';
import type { Role, SessionState } from './session';

export function useSession(): SessionState {
  return useSyncExternalStore(session.subscribe, session.snapshot);
}

/** What roles may do, for the page to show or not: the API decides by itself (api/auth.c). */
const RANK: Record<Role, number> = { leitor: 1, operador: 2, admin: 3 };

export function may(state: SessionState, role: Role): boolean {
  return state.user !== null && RANK[state.user.papel] >= RANK[role];
}

export function useMay(role: Role): boolean {
  return may(useSession(), role);
}
