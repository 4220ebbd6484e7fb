import './files.css';
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore, type DragEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { call } from '@/api/client';
import { useMay } from '@/api/useSession';
import { useFormat } from '@/i18n/format';
import { useHeading, useTitle } from '@/lib/page';
import { saveBlob } from '@/lib/save';
import { Button } from '@/ui/Button';
import { confirm } from '@/ui/confirm';
import { Icon } from '@/ui/icons';
import { Empty, ErrorBox, Loading, useErrorWords } from '@/ui/states';
import { Time } from '@/ui/Time';
import { toast } from '@/ui/toast';
import { again, cancel, clearEnded, enqueue, uploads, type Upload } from './upload';

interface StoredFile {
  id: string;
  nome: string;
  tipo: string;
  bytes: number;
  criado_em: string;
  criado_por: string | null;
}

interface FilesPage {
  arquivos: StoredFile[];
  proximo: string | null;
  uso: { bytes: number; limite: number };
}

const SHOWN = ['image/jpeg', 'image/png', 'image/gif', 'image/webp', 'image/avif'];
const PREVIEW_MAX = 5_000_000; // larger ones are not fetched for a thumbnail
const SLOW_MS = 300_000;

async function fetchFile(id: string, signal?: AbortSignal): Promise<Blob> {
  return (await call<Blob>('GET', `/api/arquivos/${encodeURIComponent(id)}`, { read: 'blob', signal, timeoutMs: SLOW_MS })).data;
}

/** An img sends no token, so the picture is fetched and shown from memory, once it comes into sight. */
function Preview({ file }: { file: StoredFile }) {
  const box = useRef<HTMLDivElement>(null);
  const [near, setNear] = useState(false);
  const image = useRef<HTMLImageElement>(null);
  const fits = SHOWN.includes(file.tipo) && file.bytes <= PREVIEW_MAX;
  const { data } = useQuery({ queryKey: ['files', 'bytes', file.id], queryFn: ({ signal }) => fetchFile(file.id, signal), enabled: fits && near, staleTime: Infinity, gcTime: 60_000 });
  useEffect(() => {
    const watch = new IntersectionObserver((seen) => setNear((before) => before || seen.some((one) => one.isIntersecting)), { rootMargin: '200px' });
    if (box.current) watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    if (!data || !image.current) return undefined;
    const url = URL.createObjectURL(data);
    image.current.src = url;
    return () => URL.revokeObjectURL(url);
  }, [data]);
  return <div className="file__preview" ref={box}>{data ? <img ref={image} alt="" /> : <Icon name="files" size={32} />}</div>;
}

function FileCard({ file, onChanged }: { file: StoredFile; onChanged: () => void }) {
  const { t } = useTranslation('files');
  const format = useFormat();
  const words = useErrorWords();
  const mayChange = useMay('operador');
  const [busy, setBusy] = useState(false);
  const act = async (work: () => Promise<void>): Promise<void> => {
    setBusy(true);
    try {
      await work();
    } catch (error) {
      const { title, detail } = words(error);
      toast(detail ?? title, { tone: 'bad' });
    } finally {
      setBusy(false);
    }
  };
  const remove = async (): Promise<void> => {
    const text = t('removeText', { nome: file.nome });
    if (!(await confirm({ title: t('removeTitle'), text: <p>{text}</p>, action: t('remove'), danger: true }))) return;
    await act(async () => {
      await call('DELETE', `/api/arquivos/${encodeURIComponent(file.id)}`);
      toast(t('removed'));
    });
    onChanged();
  };
  return (
    <li className="card file">
      <Preview file={file} />
      <div className="file__text">
        <strong>{file.nome}</strong>
        <span className="muted small">{file.tipo} · {format.bytes(file.bytes)}</span>
        <span className="muted small"><Time at={file.criado_em} />{file.criado_por !== null && ` · ${file.criado_por}`}</span>
      </div>
      <div className="cluster">
        <Button size="small" icon="download" busy={busy} aria-label={t('downloadOne', { nome: file.nome })} onClick={() => void act(async () => saveBlob(await fetchFile(file.id), file.nome))}>{t('download')}</Button>
        {mayChange && <Button size="small" kind="quiet" icon="trash" aria-label={t('removeOne', { nome: file.nome })} onClick={() => void remove()} />}
      </div>
    </li>
  );
}

function Sending({ one, onDone }: { one: Upload; onDone: () => void }) {
  const { t } = useTranslation(['files', 'common']);
  const format = useFormat();
  const words = useErrorWords();
  const known = ['413', '415', '507'] as const;
  const status = known.find((code) => code === String(one.error?.status));
  const said = one.error && words(one.error);
  return (
    <li className="upload">
      <label className="grow">
        <span>{one.file.name} · {t(`upload.${one.state}`)} · {format.bytes(one.file.size)}</span>
        {one.state === 'sending' && <progress value={one.sent} max={Math.max(one.file.size, 1)} />}
      </label>
      {said && <span className="field__error">{status ? t(`error.${status}`) : said.title} {said.detail && <span lang="pt-BR">{said.detail}</span>}</span>}
      {(one.state === 'sending' || one.state === 'waiting') && <Button size="small" aria-label={t('cancelOne', { nome: one.file.name })} onClick={() => cancel(one.id)}>{t('common:cancel')}</Button>}
      {one.state === 'failed' && one.error?.isPassing !== false && <Button size="small" icon="refresh" onClick={() => again(one.id, onDone)}>{t('common:error.retry')}</Button>}
    </li>
  );
}

function Uploader({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation('files');
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const all = useSyncExternalStore(uploads.subscribe, uploads.get);
  const add = useCallback((list: FileList | undefined | null) => {
    if (list && list.length > 0) enqueue([...list], onDone);
  }, [onDone]);
  useEffect(() => {
    const paste = (event: ClipboardEvent): void => {
      if (event.clipboardData?.files.length) {
        event.preventDefault();
        add(event.clipboardData.files);
      }
    };
    document.addEventListener('paste', paste);
    return () => document.removeEventListener('paste', paste);
  }, [add]);
  const drag = (event: DragEvent, on: boolean): void => {
    event.preventDefault();
    setOver(on);
  };
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- the button and paste do the same without a mouse
    <section aria-label={t('send')} className={over ? 'drop drop--over' : 'drop'} onDragOver={(event) => drag(event, true)} onDragLeave={(event) => drag(event, false)}
      onDrop={(event) => {
        drag(event, false);
        add(event.dataTransfer.files);
      }}>
      <div className="cluster">
        <Button kind="primary" icon="upload" onClick={() => input.current?.click()}>{t('send')}</Button>
        <span className="muted">{t('dropHint')}</span>
      </div>
      <input ref={input} type="file" multiple hidden aria-label={t('send')} onChange={(event) => {
        add(event.target.files);
        event.target.value = '';
      }} />
      {all.length > 0 && (
        <>
          <ul className="stack stack--tight">{all.map((one) => <Sending key={one.id} one={one} onDone={onDone} />)}</ul>
          <p><Button size="small" kind="quiet" onClick={clearEnded}>{t('clearEnded')}</Button></p>
        </>
      )}
    </section>
  );
}

function Quota({ uso }: { uso: FilesPage['uso'] }) {
  const { t } = useTranslation('files');
  const format = useFormat();
  return (
    <label className="quota small">
      <span>{t('quota', { used: format.bytes(uso.bytes), limit: format.bytes(uso.limite) })}</span>
      <meter min={0} max={uso.limite} high={uso.limite * 0.9} value={uso.bytes} />
    </label>
  );
}

export default function FilesView() {
  const { t } = useTranslation(['files', 'common']);
  const client = useQueryClient();
  const maySend = useMay('operador');
  useTitle(t('title'));
  useHeading();
  const list = useInfiniteQuery({
    queryKey: ['files', 'list'],
    queryFn: async ({ pageParam, signal }) => (await call<FilesPage>('GET', '/api/arquivos', { query: { limite: 50, cursor: pageParam }, signal })).data,
    initialPageParam: '',
    getNextPageParam: (last) => last.proximo ?? undefined,
  });
  const files = useMemo(() => list.data?.pages.flatMap((page) => page.arquivos) ?? [], [list.data]);
  const reload = useCallback(() => void client.invalidateQueries({ queryKey: ['files', 'list'] }), [client]);
  const uso = list.data?.pages[0]?.uso;
  return (
    <>
      <div className="page-head"><h1 tabIndex={-1}>{t('title')}</h1>{uso && <Quota uso={uso} />}</div>
      {maySend && <Uploader onDone={reload} />}
      {list.error && <ErrorBox error={list.error} inline={list.data !== undefined} onRetry={() => void list.refetch()} />}
      {list.isPending && <Loading />}
      {list.data && files.length === 0 && <Empty icon="files" title={t('emptyTitle')} />}
      <ul className="files">{files.map((file) => <FileCard key={file.id} file={file} onChanged={reload} />)}</ul>
      {list.hasNextPage && <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{t('common:loadMore')}</Button>}
    </>
  );
}
