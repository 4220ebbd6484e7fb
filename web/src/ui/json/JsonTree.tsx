import './json.css';
import { memo, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { useFormat } from '@/i18n/format';
import { Button } from '../Button';
import { Icon } from '../icons';
import { fieldOf, opensAtFirst, parseJson, type JsonBranch, type JsonNode } from './parse';

const CHUNK = 100; // members drawn at once
const LONG = 400; // characters of a text, before it is asked for
const ALL_MAX = 3000; // nodes that "open all" is offered for
const TEXT_CHUNK = 50_000;

interface Place {
  path: string[];
  isIndex: boolean[];
}
type SearchHref = (campo: string, valor: string) => string;

function Text({ text }: { text: string }) {
  const { t } = useTranslation('json');
  const format = useFormat();
  const [whole, setWhole] = useState(false);
  const quoted = JSON.stringify(whole || text.length <= LONG ? text : text.slice(0, LONG));
  return (
    <>
      <span className="json__string">{whole || text.length <= LONG ? quoted : `${quoted.slice(0, -1)}…`}</span>
      {text.length > LONG && !whole && (
        <button type="button" className="link small" onClick={() => setWhole(true)}>{t('whole', { tamanho: format.number(text.length) })}</button>
      )}
    </>
  );
}

const SEARCHED_MAX = 200;

function Leaf({ node, place, search }: { node: Exclude<JsonNode, JsonBranch>; place: Place; search?: SearchHref }) {
  const { t } = useTranslation('json');
  const campo = search && node.kind !== 'word' && node.text !== '' && node.text.length <= SEARCHED_MAX ? fieldOf(place.path, place.isIndex) : null;
  return (
    <>
      {node.kind === 'string' ? <Text text={node.text} /> : <span className={`json__${node.kind}`}>{node.text}</span>}
      {search && campo && (
        <Link className="json__find" href={search(campo, node.text)} title={t('find', { campo, valor: node.text })}
          aria-label={t('find', { campo, valor: node.text })}><Icon name="search" size={14} /></Link>
      )}
    </>
  );
}

interface NodeProps {
  name: string | null;
  node: JsonNode;
  place: Place;
  depth: number;
  /** All opened or all closed by hand; each press is another number. */
  forced: { open: boolean; press: number };
  search?: SearchHref;
}

function Name({ name, isIndex }: { name: string | null; isIndex: boolean }) {
  if (name === null) return null;
  return <span className={isIndex ? 'json__index' : 'json__name'}>{isIndex ? name : JSON.stringify(name)}: </span>;
}

function Branch({ name, node, place, depth, forced, search }: NodeProps & { node: JsonBranch }) {
  const { t } = useTranslation('json');
  const first = forced.press === 0 ? opensAtFirst(node, depth) : forced.open;
  const [state, setState] = useState({ open: first, press: forced.press });
  const [shown, setShown] = useState(CHUNK);
  if (state.press !== forced.press) setState({ open: forced.open, press: forced.press });
  const [left, right] = node.kind === 'object' ? ['{', '}'] : ['[', ']'];
  const own = <Name name={name} isIndex={place.isIndex.at(-1) ?? false} />;
  if (node.items.length === 0) return <span className="json__row">{own}<span className="json__mark">{left}{right}</span></span>;
  return (
    <>
      <button type="button" className="json__row json__toggle" aria-expanded={state.open} onClick={() => setState({ ...state, open: !state.open })}>
        <Icon name="down" size={14} />
        {own}
        <span className="json__mark">{left}{state.open ? '' : `…${right}`}</span>
        <span className="json__count">{t('items', { count: node.items.length })}</span>
      </button>
      {state.open && (
        <>
          <ul className="json__list">
            {node.items.slice(0, shown).map((item, i) => (
              <li key={i}>
                <Node name={item.key} node={item.node} depth={depth + 1} forced={forced} search={search}
                  place={{ path: [...place.path, item.key], isIndex: [...place.isIndex, node.kind === 'array'] }} />
              </li>
            ))}
          </ul>
          {node.items.length > shown && (
            <Button kind="quiet" size="small" onClick={() => setShown(shown + CHUNK)}>{t('more', { count: Math.min(CHUNK, node.items.length - shown) })}</Button>
          )}
          <span className="json__row json__mark">{right}</span>
        </>
      )}
    </>
  );
}

const Node = memo(function Node(props: NodeProps) {
  const { name, node, place, search } = props;
  if ('items' in node) return <Branch {...props} node={node} />;
  return <span className="json__row"><Name name={name} isIndex={place.isIndex.at(-1) ?? false} /><Leaf node={node} place={place} search={search} /></span>;
});

/** A payload that is no JSON: as text, a part at a time when it is long. */
export function PlainText({ text }: { text: string }) {
  const { t } = useTranslation('json');
  const [shown, setShown] = useState(TEXT_CHUNK);
  return (
    <>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, and must so from the keyboard */}
      <pre className="json json--text" tabIndex={0} role="region" aria-label={t('text')}>{text.slice(0, shown)}</pre>
      {text.length > shown && <Button size="small" onClick={() => setShown(shown + TEXT_CHUNK * 4)}>{t('moreText')}</Button>}
    </>
  );
}

const ROOT: Place = { path: [], isIndex: [] };

/** JSON as a tree that opens and closes: what is huge is closed at first, and drawn when it is opened. */
export function JsonTree({ text, search }: { text: string; search?: SearchHref }) {
  const { t } = useTranslation('json');
  const root = useMemo(() => parseJson(text), [text]);
  const [forced, setForced] = useState({ open: true, press: 0 });
  if (root === null) return <PlainText text={text} />;
  const branch = 'items' in root && root.items.length > 0;
  return (
    <div className="stack stack--tight">
      {branch && (
        <div className="cluster">
          {root.size <= ALL_MAX && <Button kind="quiet" size="small" onClick={() => setForced({ open: true, press: forced.press + 1 })}>{t('openAll')}</Button>}
          <Button kind="quiet" size="small" onClick={() => setForced({ open: false, press: forced.press + 1 })}>{t('closeAll')}</Button>
        </div>
      )}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, and must so from the keyboard */}
      <div className="json" role="region" aria-label={t('tree')} tabIndex={0}>
        <Node name={null} node={root} place={ROOT} depth={0} forced={forced} search={search} />
      </div>
    </div>
  );
}
