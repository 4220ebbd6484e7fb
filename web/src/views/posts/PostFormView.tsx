import './posts.css';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState, type SubmitEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation, useParams } from 'wouter';
import { api, type Answer } from '@/api/client';
import { ApiError, isApiError } from '@/api/errors';
import { wantSignIn } from '@/api/session';
import { useFormat } from '@/i18n/format';
import { useDraft } from '@/lib/draft';
import { useIdempotencyKey } from '@/lib/idempotency';
import { useHeading, useTitle } from '@/lib/page';
import { Button } from '@/ui/Button';
import { TextArea, TextField } from '@/ui/Field';
import { Icon } from '@/ui/icons';
import { ErrorBox, Loading } from '@/ui/states';
import { toast } from '@/ui/toast';
import { rememberPost } from './data';
import { Gone } from './PostGone';
import type { Post } from './merge';

interface Fields extends Record<string, string> {
  titulo: string;
  conteudo: string;
  autor: string;
}

const EMPTY: Fields = { titulo: '', conteudo: '', autor: '' };
const NAMES = ['titulo', 'conteudo', 'autor'] as const;
const TITLE_MAX = 200;
const TEXT_MAX = 100_000;

/** As the API counts: code points. */
const characters = (text: string): number => Array.from(text).length;

interface FormProps {
  heading: string;
  values: Fields;
  onChange: (change: Partial<Fields>) => void;
  onSubmit: () => Promise<void>;
  onDiscard: (() => void) | null;
  words: { action: string; busy: string; autor: string; hint?: string };
  error: unknown;
}

function PostForm({ heading, values, onChange, onSubmit, onDiscard, words, error }: FormProps) {
  const { t } = useTranslation(['posts', 'common']);
  const format = useFormat();
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const fields = error instanceof ApiError ? error.fields : new Map<string, string>();
  const named = NAMES.some((name) => fields.has(name));

  useEffect(() => { // to what is to be corrected first
    form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus();
  }, [error]);

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    try {
      await onSubmit();
    } finally {
      setBusy(false);
    }
  };
  const count = (text: string, max: number): string | null =>
    characters(text) > max * 0.8 ? t('form.count', { n: format.number(characters(text)), max: format.number(max) }) : null;

  return (
    <form ref={form} className="stack post-form" onSubmit={(event) => void submit(event)} noValidate aria-label={heading}>
      {error !== null && !named && <ErrorBox error={error} inline />}
      {error instanceof ApiError && error.isPassing && <p className="muted small">{t('form.again')}</p>}
      <TextField label={t('form.titulo')} name="titulo" value={values.titulo} required autoComplete="off"
        error={fields.get('titulo')} errorLang="pt-BR" count={count(values.titulo, TITLE_MAX)}
        onChange={(event) => onChange({ titulo: event.target.value })} />
      <TextArea label={t('form.conteudo')} name="conteudo" value={values.conteudo} required rows={12}
        error={fields.get('conteudo')} errorLang="pt-BR" count={count(values.conteudo, TEXT_MAX)}
        onChange={(event) => onChange({ conteudo: event.target.value })} />
      <TextField label={words.autor} name="autor" value={values.autor} autoComplete="name" hint={words.hint}
        error={fields.get('autor')} errorLang="pt-BR"
        onChange={(event) => onChange({ autor: event.target.value })} />
      <div className="cluster">
        <Button kind="primary" type="submit" busy={busy}>{busy ? words.busy : words.action}</Button>
        <Link className="button" href="/posts">{t('common:cancel')}</Link>
        {onDiscard && <Button kind="quiet" onClick={onDiscard}>{t('form.discard')}</Button>}
      </div>
    </form>
  );
}

/** Where publishing asks for an account (POSTS_WRITE=token): signs in over the page and goes on. */
async function signedIn<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!isApiError(error, 401) || !(await wantSignIn())) throw error;
    return act();
  }
}

function NewPost() {
  const { t } = useTranslation('posts');
  const client = useQueryClient();
  const [, go] = useLocation();
  const [values, change, forget] = useDraft('post', EMPTY);
  const [error, setError] = useState<unknown>(null);
  const key = useIdempotencyKey();
  useTitle(t('form.new'));
  useHeading();

  const submit = async (): Promise<void> => {
    const body = { titulo: values.titulo, conteudo: values.conteudo, ...(values.autor.trim() === '' ? {} : { autor: values.autor }) };
    try {
      const { data } = await signedIn(() => api.post('/api/posts', { body, headers: { 'Idempotency-Key': key(body) } }));
      forget();
      toast(t('form.published'), { action: { label: t('form.open'), run: () => go(`/posts/${data.id}`) } });
      void client.invalidateQueries({ queryKey: ['posts', 'head'] });
      void client.invalidateQueries({ queryKey: ['stats'] });
      go('/posts');
    } catch (cause) {
      setError(cause);
    }
  };

  const started = NAMES.some((name) => values[name] !== '');
  return (
    <>
      <div className="page-head"><h1 tabIndex={-1}>{t('form.new')}</h1></div>
      <PostForm heading={t('form.new')} values={values} onChange={change} onSubmit={submit} onDiscard={started ? forget : null} error={error}
        words={{ action: t('form.publish'), busy: t('form.publishing'), autor: t('form.autor'), hint: t('form.autorHint') }} />
      <p className="muted small">{t('form.kept')}</p>
    </>
  );
}

function Side({ title, post, action, primary, onChoose }: { title: string; post: Fields; action: string; primary?: boolean; onChoose: () => void }) {
  return (
    <div className="conflict__side">
      <h3>{title}</h3>
      <p><strong>{post.titulo}</strong></p>
      <p className="conflict__text">{post.conteudo}</p>
      <p className="muted small">{post.autor}</p>
      <p><Button kind={primary ? 'primary' : 'normal'} onClick={onChoose}>{action}</Button></p>
    </div>
  );
}

interface Version {
  post: Post;
  etag: string | null;
}

function asFields(post: Post): Fields {
  return { titulo: post.titulo, conteudo: post.conteudo, autor: post.autor };
}

async function readVersion(id: number, signal?: AbortSignal): Promise<Version> {
  const { data, etag } = await api.get('/api/posts/{id}', { path: { id }, token: false, fresh: true, signal });
  return { post: data, etag };
}

function EditPost({ start }: { start: Version }) {
  const { t } = useTranslation('posts');
  const client = useQueryClient();
  const [, go] = useLocation();
  const { id } = start.post;
  const [base, setBase] = useState(start);
  const [begin] = useState(() => asFields(start.post));
  const [values, change, forget] = useDraft(`post-${id}`, begin);
  const [error, setError] = useState<unknown>(null);
  const [theirs, setTheirs] = useState<Version | null>(null);

  const done = (answer: Answer<Post>): void => {
    forget();
    rememberPost(client, answer);
    toast(t('form.saved'));
    go(`/posts/${id}`);
  };

  const save = async (over: Version): Promise<void> => {
    const before = asFields(over.post);
    const body = Object.fromEntries(NAMES.filter((name) => values[name] !== before[name]).map((name) => [name, values[name]]));
    if (Object.keys(body).length === 0) {
      forget();
      toast(t('form.unchanged'), { tone: 'info' });
      go(`/posts/${id}`);
      return;
    }
    setError(null);
    try {
      done(await api.patch('/api/posts/{id}', { path: { id }, body, headers: over.etag ? { 'If-Match': over.etag } : {} }));
    } catch (cause) {
      if (isApiError(cause, 412)) setTheirs(await readVersion(id).catch(() => null));
      setError(cause);
    }
  };

  const keepTheirs = (): void => {
    forget();
    if (theirs) rememberPost(client, { data: theirs.post, etag: theirs.etag } as Answer<Post>);
    go(`/posts/${id}`);
  };
  const keepMine = (): void => {
    if (!theirs) return;
    setBase(theirs);
    setTheirs(null);
    void save(theirs);
  };

  return (
    <>
      {theirs && (
        <section className="card stack conflict" role="alert" aria-labelledby="conflito">
          <h2 id="conflito">{t('form.conflictTitle')}</h2>
          <p>{t('form.conflictText')}</p>
          <div className="conflict__sides">
            <Side title={t('form.theirs')} post={asFields(theirs.post)} action={t('form.keepTheirs')} onChoose={keepTheirs} />
            <Side title={t('form.mine')} post={values} action={t('form.keepMine')} primary onChoose={keepMine} />
          </div>
        </section>
      )}
      <PostForm heading={t('form.edit')} values={values} onChange={change} onSubmit={() => save(base)} onDiscard={null}
        error={theirs ? null : error}
        words={{ action: t('form.save'), busy: t('form.saving'), autor: t('form.autorEdit') }} />
    </>
  );
}

function LoadAndEdit({ id }: { id: number }) {
  const { t } = useTranslation(['posts', 'common']);
  const valid = Number.isSafeInteger(id) && id > 0;
  // Read once, when the form is opened: what comes later must not change under whoever writes.
  const { data: start, error, isPending, refetch } = useQuery({
    queryKey: ['posts', 'edit', id],
    queryFn: ({ signal }) => readVersion(id, signal),
    enabled: valid,
    staleTime: Infinity,
    gcTime: 0,
  });
  useTitle(t('form.edit'));
  useHeading();
  if (!valid || isApiError(error, 404)) return <Gone />;
  return (
    <>
      <p><Link className="button button--quiet" href={`/posts/${id}`}><Icon name="back" />{t('common:back')}</Link></p>
      <div className="page-head"><h1 tabIndex={-1}>{t('form.edit')}</h1></div>
      {error && <ErrorBox error={error} onRetry={() => void refetch()} />}
      {isPending && <Loading rows={3} />}
      {start && <EditPost start={start} />}
    </>
  );
}

export default function PostFormView() {
  const { id } = useParams<{ id?: string }>();
  return id === undefined ? <NewPost /> : <LoadAndEdit key={id} id={Number(id)} />;
}
