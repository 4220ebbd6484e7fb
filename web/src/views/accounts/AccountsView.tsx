import type { ColumnDef } from '@tanstack/react-table';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '@/api/client';
import { signOut, type User } from '@/api/session';
import { useSession } from '@/api/useSession';
import { useHeading, useTitle } from '@/lib/page';
import { Badge } from '@/ui/Badge';
import { Button } from '@/ui/Button';
import { confirm } from '@/ui/confirm';
import { DataTable } from '@/ui/DataTable';
import { ErrorBox, Loading, useErrorWords } from '@/ui/states';
import { Time } from '@/ui/Time';
import { toast } from '@/ui/toast';
import { Editor } from './Editor';

export default function AccountsView() {
  const { t } = useTranslation(['accounts', 'common']);
  const { user: me } = useSession();
  const client = useQueryClient();
  const words = useErrorWords();
  const [edited, setEdited] = useState<User | 'new' | null>(null);
  useTitle(t('title'));
  useHeading();
  const list = useInfiniteQuery({
    queryKey: ['accounts'],
    queryFn: async ({ pageParam, signal }) => (await api.get('/api/usuarios', { query: { limite: 100, cursor: pageParam || undefined }, signal })).data,
    initialPageParam: '',
    getNextPageParam: (last) => last.proximo ?? undefined,
  });
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.usuarios) ?? [], [list.data]);
  const reload = (): void => void client.invalidateQueries({ queryKey: ['accounts'] });

  const remove = async (user: User): Promise<void> => {
    const text = t(user.id === me?.id ? 'removeOwn' : 'removeText', { nome: user.nome, email: user.email });
    if (!(await confirm({ title: t('removeTitle'), text: <p>{text}</p>, action: t('remove'), danger: true }))) return;
    try {
      await api.delete('/api/usuarios/{id}', { path: { id: user.id } });
      toast(t(user.id === me?.id ? 'removedOwn' : 'removed'));
      if (user.id === me?.id) {
        signOut();
        return;
      }
    } catch (error) {
      const { title, detail } = words(error);
      toast(detail ?? title, { tone: 'bad' });
    }
    reload();
  };
  const columns: ColumnDef<User>[] = [
    { id: 'name', header: t('name'), meta: { width: 'minmax(11rem, 2fr)' }, cell: ({ row: { original: user } }) => <>{user.nome} {user.id === me?.id && <Badge tone="accent">{t('you')}</Badge>}</> },
    { id: 'email', header: t('email'), meta: { width: 'minmax(13rem, 2fr)' }, cell: ({ row }) => row.original.email },
    { id: 'role', header: t('role'), meta: { width: '9rem' }, cell: ({ row }) => t(`common:account.role.${row.original.papel}`) },
    { id: 'state', header: t('state'), meta: { width: '8rem' }, cell: ({ row }) => <Badge tone={row.original.ativo ? 'good' : 'plain'}>{t(row.original.ativo ? 'isActive' : 'isInactive')}</Badge> },
    { id: 'since', header: t('since'), meta: { width: '9rem' }, cell: ({ row }) => <Time at={row.original.criado_em} /> },
    {
      id: 'act', header: () => <span className="sr-only">{t('actions')}</span>, meta: { width: '8rem', end: true }, cell: ({ row: { original: user } }) => (
        <>
          <Button kind="quiet" size="small" icon="edit" aria-label={t('editOne', { nome: user.nome })} onClick={() => setEdited(user)} />
          <Button kind="quiet" size="small" icon="trash" aria-label={t('removeOne', { nome: user.nome })} onClick={() => void remove(user)} />
        </>
      ),
    },
  ];
  return (
    <>
      <div className="page-head">
        <h1 tabIndex={-1}>{t('title')}</h1>
        <Button kind="primary" icon="plus" onClick={() => setEdited('new')}>{t('new')}</Button>
      </div>
      {list.error && <ErrorBox error={list.error} inline={list.data !== undefined} onRetry={() => void list.refetch()} />}
      {list.isPending && <Loading />}
      {list.data && <DataTable label={t('title')} columns={columns} rows={rows} rowId={(user) => String(user.id)}
        hasMore={list.hasNextPage} fetching={list.isFetching} error={list.isFetchNextPageError ? list.error : null} onMore={() => void list.fetchNextPage()} />}
      {edited && <Editor user={edited === 'new' ? null : edited} own={edited !== 'new' && edited.id === me?.id} onClose={() => setEdited(null)} onDone={() => {
        setEdited(null);
        reload();
      }} />}
    </>
  );
}
