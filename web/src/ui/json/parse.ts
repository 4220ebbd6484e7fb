// JSON as it was written: the order of members, members of the same name and every digit of a number are kept,
// which JSON.parse does not do (an id of 17 digits would be shown wrong). Neither depth nor size breaks it.

export type JsonNode =
  | { kind: 'object'; items: { key: string; node: JsonNode }[]; size: number }
  | { kind: 'array'; items: { key: string; node: JsonNode }[]; size: number }
  | { kind: 'string'; text: string; size: 1 }
  | { kind: 'number' | 'word'; text: string; size: 1 };

export type JsonBranch = Extract<JsonNode, { items: unknown }>;

/** Where and how a text is no JSON, for whoever writes it. */
export interface JsonTrouble {
  line: number;
  column: number;
}

const TOKEN = /\s*(?:("(?:[^"\\]|\\.)*")|(-?\d[\d.eE+-]*)|(true|false|null)|([[\]{}:,]))/y;

interface Open {
  node: JsonBranch;
  key: string;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function leaf(string: string | undefined, number: string | undefined, word: string | undefined): JsonNode | null {
  if (string !== undefined) return { kind: 'string', text: JSON.parse(string) as string, size: 1 };
  if (number !== undefined) return { kind: 'number', text: number, size: 1 };
  return word === undefined ? null : { kind: 'word', text: word, size: 1 };
}

/** null when it is no JSON. */
export function parseJson(text: string): JsonNode | null {
  if (!isJson(text)) return null; // from here on, what comes is known to be right
  const open: Open[] = [];
  let root: JsonNode | null = null;
  TOKEN.lastIndex = 0;
  const put = (node: JsonNode): void => {
    const around = open.at(-1);
    if (!around) root = node;
    else around.node.items.push({ key: around.node.kind === 'array' ? String(around.node.items.length) : around.key, node });
  };
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    const [, string, number, word, mark] = match;
    const around = open.at(-1);
    if (mark === '{' || mark === '[') {
      const node: JsonBranch = { kind: mark === '{' ? 'object' : 'array', items: [], size: 1 };
      put(node);
      open.push({ node, key: '' });
    } else if (mark === '}' || mark === ']') {
      open.pop();
      if (around) around.node.size += around.node.items.reduce((sum, item) => sum + item.node.size, 0);
    } else if (string !== undefined && around?.node.kind === 'object' && /^\s*:/.test(text.slice(TOKEN.lastIndex, TOKEN.lastIndex + 40))) {
      around.key = JSON.parse(string) as string;
    } else {
      const node = leaf(string, number, word);
      if (node) put(node);
    }
  }
  return root;
}

/** A member of the outermost object as it stands in the text, every digit of it; null when there is none. */
export function memberText(text: string, name: string): string | null {
  if (!isJson(text) || !text.trimStart().startsWith('{')) return null;
  let depth = 0;
  let begin = -1; // of the value, once its name was read
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    const [whole, string, , , mark] = match;
    const end = TOKEN.lastIndex;
    if (mark === '{' || mark === '[') depth++;
    if (mark === '}' || mark === ']') depth--;
    if (begin >= 0 && depth === 1 && mark !== ':') return text.slice(begin, end).trim();
    const colon = depth === 1 && string !== undefined ? /^\s*:/.exec(text.slice(end, end + 40)) : null;
    if (colon && JSON.parse(whole) === name) begin = end + colon[0].length;
  }
  return null;
}

/** What may come next: a value, a value or the end of a list, a name, a name or the end, a colon, or what follows a value. */
type Wanted = 'value' | 'first' | 'name' | 'firstName' | 'colon' | 'after';

function next(wanted: Wanted, token: RegExpExecArray, open: string[]): Wanted | null {
  const [, string, number, word, mark] = token;
  if (mark === '}' || mark === ']') {
    const fits = open.pop() === (mark === '}' ? '{' : '[');
    return fits && (wanted === 'after' || wanted === (mark === '}' ? 'firstName' : 'first')) ? 'after' : null;
  }
  if (wanted === 'colon') return mark === ':' ? 'value' : null;
  if (wanted === 'name' || wanted === 'firstName') return string === undefined ? null : 'colon';
  if (wanted === 'after') return mark === ',' && open.length > 0 ? (open.at(-1) === '{' ? 'name' : 'value') : null;
  if (mark === '{' || mark === '[') {
    open.push(mark);
    return mark === '{' ? 'firstName' : 'first';
  }
  return (string ?? word) !== undefined || (number !== undefined && isJson(number)) ? 'after' : null;
}

/** Where a text stops being JSON (engines say it each in their way, or not at all); null when it is JSON. */
export function jsonTrouble(text: string): JsonTrouble | null {
  if (isJson(text)) return null;
  const open: string[] = [];
  let wanted: Wanted | null = 'value';
  let right = 0;
  TOKEN.lastIndex = 0;
  for (let token = TOKEN.exec(text); token && wanted; token = TOKEN.exec(text)) {
    if (token[1] !== undefined && !isJson(token[1])) break;
    wanted = next(wanted, token, open);
    if (wanted) right = TOKEN.lastIndex;
  }
  const at = right + (/^\s*/.exec(text.slice(right))?.[0].length ?? 0);
  const before = text.slice(0, at).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

const SMALL = 60;

/** Is this branch open at first? The outermost is; others when they are small. */
export function opensAtFirst(node: JsonBranch, depth: number): boolean {
  return depth === 0 || (node.size <= SMALL && depth < 12);
}

/**
 * The name under which the API finds a value, wherever in the payload it stands: the nearest member's. What an event
 * keeps is a part of its delivery's payload, so the whole way would often lead nowhere. null where there is none.
 */
export function fieldOf(path: readonly string[], isIndex: readonly boolean[]): string | null {
  const name = path.filter((_, i) => !isIndex[i]).at(-1);
  return name === undefined || name === '' || name.includes('.') ? null : name;
}
