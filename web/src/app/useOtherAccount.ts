import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { useSession } from '@/api/useSession';

/** What one account was shown is not shown to the next; a session that merely ended keeps its page. */
export function useOtherAccount(): void {
  const { user, ended } = useSession();
  const client = useQueryClient();
  const last = useRef<string | null>(user ? `${user.id} ${user.papel}` : null);
  useEffect(() => {
    const now = user ? `${user.id} ${user.papel}` : null;
    if (now === last.current || (now === null && ended)) return;
    last.current = now;
    client.removeQueries({ type: 'inactive' });
    void client.invalidateQueries();
  }, [user, ended, client]);
}
